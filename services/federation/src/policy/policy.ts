/**
 * With which domains there is federation at all: on or off, and lists of those allowed and blocked, from the variables and
 * from a file, taken together. Block wins; an empty allow list allows all.
 */
import { type FospError, fospError } from '@fosp/protocol';
import { type Log, StartError } from '@fosp/runtime';
import { type DomainPatterns, domainPatterns } from './domain-patterns.ts';
import { PolicyFile, type PolicyLists } from './policy-file.ts';

export interface PolicySettings extends PolicyLists {
  readonly enabled: boolean;
  /** Path of a file with further lists, which may change. */
  readonly file: string | undefined;
}

export interface PolicyDeps {
  readonly settings: PolicySettings;
  readonly log: Log;
  /** Milliseconds between two looks at the file; 1,000. */
  readonly interval?: number;
}

export interface Policy {
  /** May we speak with this domain, normalised, in either direction? */
  permits(domain: string): boolean;
  /** Called after each change of the lists, until the returned function is called. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export const POLICY_DEFAULTS = { interval: 1000 } as const;

/** Rejects with `StartError` where there is to be a file, and it is not valid. */
export async function openPolicy({ settings, log, interval = POLICY_DEFAULTS.interval }: PolicyDeps): Promise<Policy> {
  const { enabled, file: path } = settings;
  const listeners = new Set<() => void>();
  let lists = compile(settings, NO_LISTS);
  const apply = (further: PolicyLists) => {
    lists = compile(settings, further);
    log.info({ path, allow: further.allow.length, block: further.block.length }, 'federation policy read');
    for (const listener of listeners) {
      listener();
    }
  };
  const failed = (error: unknown) =>
    log.error({ path, error }, 'the federation policy file cannot be used; what it last said still counts');
  const file = path === undefined ? undefined : new PolicyFile({ path, interval, apply, failed });
  await file?.open().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`FOSP_FEDERATION_POLICY_FILE: ${path} cannot be used: ${reason}`, { cause: error });
  });
  return {
    permits: (domain) =>
      enabled &&
      (lists.block.isEmpty || !lists.block.matches(domain)) &&
      (lists.allow.isEmpty || lists.allow.matches(domain)),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => file?.close(),
  };
}

/** What is answered for a domain that the policy does not permit. */
export function notFederated(domain: string): FospError {
  return fospError('forbidden', `This server does not exchange anything with ${domain}.`);
}

const NO_LISTS: PolicyLists = { allow: [], block: [] };

interface CompiledLists {
  readonly allow: DomainPatterns;
  readonly block: DomainPatterns;
}

function compile(one: PolicyLists, other: PolicyLists): CompiledLists {
  return {
    allow: domainPatterns([...one.allow, ...other.allow]),
    block: domainPatterns([...one.block, ...other.block]),
  };
}
