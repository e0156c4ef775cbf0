/** PROXY protocol headers as balancers write them. It shares no code with the gateway. */

const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);

export interface BinaryHeader {
  /** Version in the upper four bits. 0x21 is PROXY, 0x20 is LOCAL. */
  readonly command?: number;
  /** Family above transport. 0x11 is TCP over IPv4, 0x21 over IPv6. */
  readonly family?: number;
  readonly addresses?: Uint8Array;
  readonly extensions?: Uint8Array;
  /** Of addresses and extensions, where it is not true. */
  readonly length?: number;
}

export function binary({ command = 0x21, family = 0x11, ...rest }: BinaryHeader = {}): Buffer {
  const { addresses = ipv4('192.0.2.1'), extensions = Buffer.alloc(0) } = rest;
  const fixed = Buffer.from([command, family, 0, 0]);
  fixed.writeUInt16BE(rest.length ?? addresses.length + extensions.length, 2);
  return Buffer.concat([SIGNATURE, fixed, addresses, extensions]);
}

/** Source, destination and ports, as they stand in a binary header. */
export function ipv4(source: string): Buffer {
  return Buffer.concat([
    Buffer.from(source.split('.').map(Number)),
    Buffer.from([10, 0, 0, 1, 0xd4, 0x31, 0x05, 0x39]),
  ]);
}

/** As `ipv4`; the source as 32 hexadecimal digits. */
export function ipv6(source: string): Buffer {
  return Buffer.concat([Buffer.from(source, 'hex'), Buffer.alloc(16, 1), Buffer.from([0xd4, 0x31, 0x05, 0x39])]);
}

/** An extension: type, length, value. */
export function extension(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/** A line of version 1; `words` follow `PROXY`. */
export function line(words: string): Buffer {
  return Buffer.from(`PROXY ${words}\r\n`, 'latin1');
}
