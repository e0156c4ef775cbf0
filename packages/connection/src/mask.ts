/**
 * Masking and unmasking in place (RFC 6455 §5.3), which are the same. A mask is its four bytes as one number, the first
 * byte lowest. Words are used from 24 bytes on: below that, making a view of them costs more than it saves.
 */
const WORDS_FROM = 24;

/** The mask as it applies `count` bytes further on. */
export function rotateMask(mask: number, count: number): number {
  const bits = (count & 3) << 3;
  return bits === 0 ? mask : (mask >>> bits) | (mask << (32 - bits));
}

/** Masks `bytes[start, end)`, the mask's first byte meeting `bytes[start]`. */
export function applyMask(bytes: Uint8Array, start: number, end: number, mask: number): void {
  if (!LITTLE_ENDIAN || end - start < WORDS_FROM) {
    maskBytes(bytes, start, end, mask);
    return;
  }
  const aligned = start + (-(bytes.byteOffset + start) & 3);
  const key = rotateMask(mask, aligned - start);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (end - aligned) >> 2);
  maskBytes(bytes, start, aligned, mask);
  maskWords(words, key);
  maskBytes(bytes, aligned + words.length * 4, end, key);
}

/** Four words at a time: twice as fast as one. */
function maskWords(words: Int32Array, key: number): void {
  const fours = words.length & ~3;
  let index = 0;
  for (; index < fours; index += 4) {
    words[index] = (words[index] ?? 0) ^ key;
    words[index + 1] = (words[index + 1] ?? 0) ^ key;
    words[index + 2] = (words[index + 2] ?? 0) ^ key;
    words[index + 3] = (words[index + 3] ?? 0) ^ key;
  }
  for (; index < words.length; index++) {
    words[index] = (words[index] ?? 0) ^ key;
  }
}

function maskBytes(bytes: Uint8Array, start: number, end: number, mask: number): void {
  let key = mask;
  for (let index = start; index < end; index++) {
    bytes[index] = (bytes[index] ?? 0) ^ key;
    key = (key >>> 8) | (key << 24);
  }
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
