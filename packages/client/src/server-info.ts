import { LIMITS } from '@fosp/protocol';
import { membersOf } from './answers.ts';

/** What a server says of itself in the answer to CONNECT (PROTOCOL §3). */
export interface ServerInfo {
  readonly version: string;
  readonly domain: string;
  readonly extensions: readonly string[];
  readonly mechanisms: readonly string[];
  readonly registration: boolean;
  /** Bytes, and requests in flight. */
  readonly limits: {
    readonly object: number;
    readonly acl: number;
    readonly attachment: number;
    readonly message: number;
    readonly requests: number;
  };
}

/** Other servers say less of themselves than ours; what they leave out is what the draft has, and our own limits. */
export function serverInfo(answer: unknown): ServerInfo {
  const { version, domain, extensions, mechanisms, registration, limits } = membersOf(answer);
  const given = membersOf(limits);
  const limit = (name: string, fallback: number): number => (typeof given[name] === 'number' ? given[name] : fallback);
  return {
    version: typeof version === 'string' ? version : '0.1',
    domain: typeof domain === 'string' ? domain : '',
    extensions: strings(extensions, []),
    mechanisms: strings(mechanisms, ['password']),
    registration: registration !== false,
    limits: {
      object: limit('object', LIMITS.objectBytes),
      acl: limit('acl', LIMITS.aclBytes),
      attachment: limit('attachment', LIMITS.attachmentBytes),
      message: limit('message', LIMITS.attachmentBytes + LIMITS.messageOverhead),
      requests: limit('requests', LIMITS.requestsInFlight),
    },
  };
}

function strings(value: unknown, fallback: readonly string[]): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : fallback;
}
