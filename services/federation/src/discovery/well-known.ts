/**
 * `https://domain/.well-known/fosp`: on which ports a domain's servers listen, by their own word.
 *
 * Invariants: connections go to the addresses that were looked up and permitted, and to no others: no second lookup, no
 * redirect is followed. The certificate is checked for the domain. An answer that is no such document, or does not name the
 * domain, is none. It says nothing of addresses, so nobody's trust hangs on it.
 */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { SecureContext } from 'node:tls';
import { normaliseDomain } from '@fosp/protocol';
import { pinnedLookup } from './pinned-lookup.ts';

export interface WellKnownPorts {
  readonly wsPort?: number;
  readonly wssPort?: number;
}

/** `none` is final where a server said so, or may be otherwise the next time. */
export type WellKnown =
  | { readonly kind: 'ports'; readonly ports: WellKnownPorts }
  | { readonly kind: 'none'; readonly final: boolean; readonly reason: string };

export interface WellKnownOptions {
  readonly addresses: readonly string[];
  /** Of HTTPS. */
  readonly port: number;
  /** For all of it: connecting, TLS, answer. */
  readonly seconds: number;
  /** Of the answer. */
  readonly bytes: number;
  /** Node's own certificates where there is none. */
  readonly secureContext: SecureContext | undefined;
}

export async function fetchWellKnown(domain: string, options: WellKnownOptions): Promise<WellKnown> {
  let response: Response;
  try {
    response = await fetchDocument(domain, options);
  } catch (error) {
    return { kind: 'none', final: false, reason: error instanceof Error ? error.message : String(error) };
  }
  if (response.status !== 200) {
    const final = response.status < 500 && response.status !== 429;
    return { kind: 'none', final, reason: `it answered HTTP ${response.status}` };
  }
  const ports = readWellKnown(response.text, domain);
  return ports === undefined
    ? { kind: 'none', final: true, reason: 'its document does not name this domain' }
    : { kind: 'ports', ports };
}

interface Response {
  readonly status: number;
  readonly text: string;
}

function fetchDocument(domain: string, options: WellKnownOptions): Promise<Response> {
  const { addresses, port, seconds, bytes, secureContext } = options;
  return new Promise((resolve, reject) => {
    const asked = request({
      host: domain,
      servername: domain,
      port,
      path: '/.well-known/fosp',
      headers: { Accept: 'application/json' },
      agent: false,
      lookup: pinnedLookup(addresses),
      signal: AbortSignal.timeout(seconds * 1000),
      ...(secureContext === undefined ? {} : { secureContext }),
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      readBody(response, bytes).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    asked.end();
  });
}

async function readBody(response: IncomingMessage, bytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response) {
    pieces.push(piece);
    length += piece.length;
    if (length > bytes) {
      // Leaving the loop destroys the socket.
      throw new Error(`its answer has more than ${bytes} bytes`);
    }
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** The ports of a document that names the domain; `undefined` where it is none such. */
export function readWellKnown(text: string, domain: string): WellKnownPorts | undefined {
  const document = parsed(text);
  const domains: unknown = document?.['domains'];
  if (document === undefined || !Array.isArray(domains) || !domains.some((name) => isDomain(name, domain))) {
    return undefined;
  }
  const wsPort = portOf(document['wsPort']);
  const wssPort = portOf(document['wssPort']);
  return { ...(wsPort === undefined ? {} : { wsPort }), ...(wssPort === undefined ? {} : { wssPort }) };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return typeof document === 'object' && document !== null ? { ...document } : undefined;
  } catch {
    return undefined;
  }
}

function isDomain(name: unknown, domain: string): boolean {
  try {
    return typeof name === 'string' && normaliseDomain(name) === domain;
  } catch {
    return false;
  }
}

function portOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535 ? value : undefined;
}
