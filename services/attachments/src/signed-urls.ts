/**
 * Transfer URLs of the folder store: whoever holds one may do that one thing to that one file until it expires.
 *
 * Invariant: the signature covers everything the endpoint acts upon (method, key, size, expiry). The secret is made anew by
 * each process and leaves it never, so that no URL survives a restart.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fospError } from '@fosp/protocol';
import { isFileKey } from './store.ts';

export type TransferMethod = 'GET' | 'PUT';

export interface TransferGrant {
  readonly method: TransferMethod;
  readonly key: string;
  /** Bytes that will be PUT; undefined where that is not known, and for GET. */
  readonly size: number | undefined;
}

export interface SignedUrlOptions {
  readonly secret: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** How long after it was signed a transfer may begin, in seconds. */
  readonly urlSeconds: number;
}

/** The path and query of a URL that grants this. */
export function signedPath(grant: TransferGrant, options: SignedUrlOptions): string {
  const expires = String(options.clock() + options.urlSeconds * 1000);
  const query = new URLSearchParams({ method: grant.method, expires, size: sizeText(grant) });
  query.set('signature', signature(grant, expires, options).toString('base64url'));
  return `/${grant.key}?${query}`;
}

/** What a request's path and query grant; throws `forbidden` where they are not signed by us, for this, and for now. */
export function grantOf(method: string, pathAndQuery: string, options: SignedUrlOptions): TransferGrant {
  const url = new URL(pathAndQuery, 'http://127.0.0.1');
  const size = url.searchParams.get('size');
  const expires = url.searchParams.get('expires') ?? '';
  const grant: TransferGrant = {
    method: url.searchParams.get('method') === 'PUT' ? 'PUT' : 'GET',
    key: url.pathname.slice(1),
    size: size ? Number(size) : undefined,
  };
  const given = Buffer.from(url.searchParams.get('signature') ?? '', 'base64url');
  const expected = signature(grant, expires, options);
  if (given.length !== expected.length || !timingSafeEqual(given, expected) || !isFileKey(grant.key)) {
    throw fospError('forbidden', 'This transfer URL was not signed by this server since it started.');
  }
  if (grant.method !== method) {
    throw fospError('forbidden', `This transfer URL is for ${grant.method}, not for ${method}.`);
  }
  if (options.clock() >= Number(expires)) {
    throw fospError('forbidden', 'This transfer URL has expired; ask for a new one.');
  }
  return grant;
}

function signature(grant: TransferGrant, expires: string, options: SignedUrlOptions): Buffer {
  const signed = [grant.method, grant.key, sizeText(grant), expires].join('\n');
  return createHmac('sha256', options.secret).update(signed).digest();
}

function sizeText(grant: TransferGrant): string {
  return grant.size === undefined ? '' : String(grant.size);
}
