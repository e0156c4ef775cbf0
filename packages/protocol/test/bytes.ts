/** Bytes of a text that has one character per byte, as the frames of the fixtures are written. */
export function bytesOf(frame: string): Uint8Array {
  return Uint8Array.from(frame, (character) => character.charCodeAt(0));
}

/** The other way. */
export function frameOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
