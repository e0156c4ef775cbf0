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

/** Whether a header that is a comma-separated list has this token, in any case. */
export function hasToken(header: string | undefined, token: string): boolean {
  return (header ?? '').split(',').some((entry) => entry.trim().toLowerCase() === token);
}
