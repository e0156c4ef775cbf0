/** The header of a WebSocket frame (RFC 6455 §5.2), as bytes. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const FIN = 0x80;
const MASKED = 0x80;
const TWO_TO_32 = 2 ** 32;

/** How long the header at `at` is; more than there is when there are not even the two bytes that tell. */
export function headerLength(bytes: Uint8Array, at: number): number {
  const second = bytes[at + 1];
  if (second === undefined) {
    return 2;
  }
  const code = second & 0x7f;
  return 2 + (code === 126 ? 2 : code === 127 ? 8 : 0) + (second >= MASKED ? 4 : 0);
}

/** The announced length of the payload; not exact above 2^53. */
export function payloadLength(bytes: Uint8Array, at: number): number {
  const code = (bytes[at + 1] ?? 0) & 0x7f;
  if (code < 126) {
    return code;
  }
  if (code === 126) {
    return ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  }
  return uint32(bytes, at + 2) * TWO_TO_32 + uint32(bytes, at + 6);
}

/** Four bytes as `applyMask` wants them. */
export function maskAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** How many bytes `writeHeader` will write. */
export function headerSize(payload: number, masked: boolean): number {
  return 2 + (payload < 126 ? 0 : payload < 0x1_0000 ? 2 : 8) + (masked ? 4 : 0);
}

export interface HeaderFields {
  readonly opcode: number;
  /** Whether this frame ends its message. */
  readonly fin: boolean;
  readonly payload: number;
  readonly mask: number | undefined;
}

/** @returns where the payload begins */
export function writeHeader(bytes: Uint8Array, at: number, fields: HeaderFields): number {
  const { payload, mask } = fields;
  const masked = mask === undefined ? 0 : MASKED;
  let next = at + 2;
  bytes[at] = fields.opcode | (fields.fin ? FIN : 0);
  if (payload < 126) {
    bytes[at + 1] = masked | payload;
  } else if (payload < 0x1_0000) {
    bytes[at + 1] = masked | 126;
    bytes[at + 2] = payload >>> 8;
    bytes[at + 3] = payload;
    next = at + 4;
  } else {
    bytes[at + 1] = masked | 127;
    writeUint32(bytes, at + 2, Math.floor(payload / TWO_TO_32));
    writeUint32(bytes, at + 6, payload);
    next = at + 10;
  }
  if (mask === undefined) {
    return next;
  }
  bytes[next] = mask;
  bytes[next + 1] = mask >>> 8;
  bytes[next + 2] = mask >>> 16;
  bytes[next + 3] = mask >>> 24;
  return next + 4;
}

function uint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const low = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return high * 0x1_0000 + low;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
