/**
 * What is said first on a link that we dialled: CONNECT, then AUTHENTICATE as a server (SPEC §7, PROTOCOL §3, §9). What the
 * other side answers is read tolerantly: older servers say little about themselves.
 */
import type { Peer, PeerResponse } from '@fosp/connection';
import type { LinkExtensions } from '@fosp/exchange';
import { decodeText, isFospError } from '@fosp/protocol';

/** What the other side says of itself. */
export interface Greeting {
  readonly extensions: LinkExtensions;
  /** For a key by which we may prove our domain. */
  readonly nonce: string | undefined;
  /** Requests of one user that it takes at a time, where it says so. */
  readonly requests: number | undefined;
  /** Bytes of one message that it takes, where it says so. */
  readonly message: number | undefined;
}

/** It did not take us. `isFinal`: nor will any other server of its domain; `pause` in milliseconds, where it asked for one. */
export class LinkRefused extends Error {
  readonly isFinal: boolean;
  readonly pause: number;

  constructor(message: string, { isFinal = false, pause = 0 }: { isFinal?: boolean; pause?: number } = {}) {
    super(message);
    this.name = 'LinkRefused';
    this.isFinal = isFinal;
    this.pause = pause;
  }
}

const VERSION = '0.1';
const EXTENSIONS = ['etag', 'page', 'ack', 'retire'];
const NONCE = /^[!-~]{1,256}$/;
/** Of what the other side says for itself, characters that are logged. */
const QUOTED = 200;

export interface GreetOptions {
  readonly domain: string;
  /** Whether traces are shared with it. */
  readonly trace: boolean;
  readonly seconds: number;
}

/** CONNECT. Rejects with `LinkRefused` where it is not answered well. */
export async function greet(peer: Peer, { domain, trace, seconds }: GreetOptions): Promise<Greeting> {
  const wanted = trace ? [...EXTENSIONS, 'trace'] : EXTENSIONS;
  const body = JSON.stringify({ version: VERSION, domain, extensions: wanted });
  const members = membersOf(await ask(peer, 'CONNECT', body, seconds));
  const named = members['extensions'];
  const extensions: readonly unknown[] = Array.isArray(named) ? named : [];
  const { nonce } = members;
  return {
    extensions: {
      etag: extensions.includes('etag'),
      page: extensions.includes('page'),
      ack: extensions.includes('ack'),
      trace: trace && extensions.includes('trace'),
      retire: extensions.includes('retire'),
    },
    nonce: typeof nonce === 'string' && NONCE.test(nonce) ? nonce : undefined,
    requests: limitIn(members['limits'], 'requests'),
    message: limitIn(members['limits'], 'message'),
  };
}

/** AUTHENTICATE. `key` is what proves that the domain is ours, where the other side gave a nonce for one. */
export async function logIn(
  peer: Peer,
  claim: { domain: string; key: string | undefined },
  seconds: number,
): Promise<void> {
  const { domain, key } = claim;
  const body = JSON.stringify({ type: 'server', domain, ...(key === undefined ? {} : { key }) });
  await ask(peer, 'AUTHENTICATE', body, seconds);
}

async function ask(peer: Peer, type: 'CONNECT' | 'AUTHENTICATE', body: string, seconds: number): Promise<Uint8Array> {
  let answer: PeerResponse;
  try {
    answer = await peer.request(type, undefined, { body, timeoutMs: seconds * 1000, responseBytes: 64 * 1024 });
  } catch (error) {
    const reason = isFospError(error) ? error.message : String(error);
    throw new LinkRefused(`${type} was not answered: ${reason}`);
  }
  const { head } = answer;
  if (head.type === 'SUCCEEDED' && head.status >= 200 && head.status < 300) {
    return answer.body;
  }
  const said = membersOf(answer.body)['message'];
  const text = typeof said === 'string' ? `: ${said.slice(0, QUOTED)}` : '';
  const pause = 1000 * Number(head.headers['Retry-After'] ?? 0);
  throw new LinkRefused(`${type} was answered ${head.type} ${head.status}${text}`, {
    isFinal: type === 'AUTHENTICATE' && (head.status === 403 || head.status === 401),
    pause: Number.isFinite(pause) && pause > 0 ? pause : 0,
  });
}

function membersOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  const text = decodeText(body) ?? '';
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

function limitIn(limits: unknown, name: 'requests' | 'message'): number | undefined {
  const all: { readonly requests?: unknown; readonly message?: unknown } =
    typeof limits === 'object' && limits !== null ? limits : {};
  const limit = all[name];
  return typeof limit === 'number' && Number.isSafeInteger(limit) && limit > 0 ? limit : undefined;
}
