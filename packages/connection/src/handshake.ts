import { createHash } from 'node:crypto';

/** The only subprotocol there is (PROTOCOL §1). */
export const SUBPROTOCOL = 'fosp';

const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What a server answers to a client's key (RFC 6455 §4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + KEY_SUFFIX)
    .digest('base64');
}

/** The entries of a header that is a comma-separated list. */
export function tokensOf(header: string | undefined): string[] {
  return (header ?? '').split(',').map((entry) => entry.trim());
}

/** Whether such a header has this entry, in any case. */
export function hasToken(header: string | undefined, token: string): boolean {
  return tokensOf(header).some((entry) => entry.toLowerCase() === token);
}
