/** Reading heads (SPEC §4.2, PROTOCOL §2). */
import type { Head } from './message.ts';

export type DecodedHead =
  | { readonly kind: 'head'; readonly head: Head; readonly bodyOffset: number }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly sequence: number; readonly message: string };

export function decodeHead(_bytes: Uint8Array, _complete: boolean): DecodedHead {
  return { kind: 'incomplete' };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of UTF-8 bytes, `undefined` where they are none; a byte order mark is kept, and no JSON. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
