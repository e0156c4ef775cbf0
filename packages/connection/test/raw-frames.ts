/** Frames as RFC 6455 §5.2 describes them, written here once more and on their own: the counterpart of what is tested. */

export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  /** Default true. */
  readonly fin?: boolean;
  /** Default 0. */
  readonly rsv?: number;
  /** Four bytes; none for a frame of a server. */
  readonly mask?: readonly number[];
  /** Spells the length in so many bits. Default: the shortest. */
  readonly lengthBits?: 7 | 16 | 64;
  /** Announces this length, whatever follows. */
  readonly length?: bigint;
}

export const MASK = [0x37, 0xfa, 0x21, 0x3d];

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export function rawFrame(frame: RawFrame): Uint8Array {
  const payload = typeof frame.payload === 'string' ? bytesOf(frame.payload) : (frame.payload ?? new Uint8Array(0));
  const length = frame.length ?? BigInt(payload.length);
  const bits = frame.lengthBits ?? (length < 126n ? 7 : length < 65536n ? 16 : 64);
  const code = bits === 7 ? Number(length) : bits === 16 ? 126 : 127;
  const bytes = [
    ((frame.fin ?? true) ? 0x80 : 0) + ((frame.rsv ?? 0) << 4) + frame.opcode,
    (frame.mask === undefined ? 0 : 0x80) + code,
  ];
  for (let shift = bits === 7 ? -8 : bits - 8; shift >= 0; shift -= 8) {
    bytes.push(Number((length >> BigInt(shift)) & 0xffn));
  }
  const { mask } = frame;
  const sent = mask === undefined ? payload : payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Uint8Array.from([...bytes, ...(mask ?? [])]), sent]);
}

/** A frame as a client sends it. */
export function clientFrame(opcode: number, payload: Uint8Array | string = '', fin = true): Uint8Array {
  return rawFrame({ opcode, payload, fin, mask: MASK });
}
