import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_BINARY_HEADER, LONGEST_TEXT_HEADER, readProxyHeader } from '../src/proxy-header.ts';
import { binary, extension, ipv4, ipv6, line } from './proxy-headers.ts';

const V6 = '20010db8000000000000000000000001';
const MAPPED = '00000000000000000000ffffc0000207';
const UNIX = Buffer.alloc(216, 0x2f);

/** What each valid header says: a client's address, or that the balancer's own stands. */
const VALID: readonly (readonly [string, Buffer, string | undefined])[] = [
  ['v1 TCP4', line('TCP4 192.0.2.1 10.0.0.1 54321 1337'), '192.0.2.1'],
  ['v1 TCP4 with the least and greatest of all', line('TCP4 0.0.0.0 255.255.255.255 0 65535'), '0.0.0.0'],
  ['v1 TCP6', line('TCP6 2001:db8::1 2001:db8::2 54321 1337'), '2001:db8::1'],
  ['v1 TCP6 in another spelling', line('TCP6 2001:0DB8:0:0::0001 ::1 54321 1337'), '2001:db8::1'],
  ['v1 TCP6 of an IPv4 address', line('TCP6 ::ffff:192.0.2.7 ::1 54321 1337'), '192.0.2.7'],
  ['v1 TCP6 of an IPv4 address in hexadecimal', line('TCP6 ::FFFF:C000:0207 ::1 54321 1337'), '192.0.2.7'],
  ['v1 UNKNOWN', line('UNKNOWN'), undefined],
  ['v1 UNKNOWN with the longest line', line(`UNKNOWN ${'f'.repeat(91)}`), undefined],
  ['v1 UNKNOWN with anything', line('UNKNOWN \xff \n \r\t'), undefined],
  ['v2 over TCP4', binary(), '192.0.2.1'],
  ['v2 over TCP6', binary({ family: 0x21, addresses: ipv6(V6) }), '2001:db8::1'],
  ['v2 over TCP6 of an IPv4 address', binary({ family: 0x21, addresses: ipv6(MAPPED) }), '192.0.2.7'],
  ['v2 over TCP6 of ::', binary({ family: 0x21, addresses: ipv6('00'.repeat(16)) }), '::'],
  ['v2 with extensions', binary({ extensions: extension(0x20, Buffer.alloc(300, 7)) }), '192.0.2.1'],
  ['v2 with extensions that are none', binary({ extensions: Buffer.from([0x20, 0xff]) }), '192.0.2.1'],
  ['v2 of the greatest length', binary({ extensions: Buffer.alloc(LONGEST_BINARY_HEADER - 28) }), '192.0.2.1'],
  ['v2 LOCAL', binary({ command: 0x20, family: 0, addresses: Buffer.alloc(0) }), undefined],
  ['v2 LOCAL with an address', binary({ command: 0x20 }), undefined],
  ['v2 LOCAL of no known family', binary({ command: 0x20, family: 0xff }), undefined],
  ['v2 UNSPEC', binary({ family: 0x00, addresses: Buffer.alloc(0) }), undefined],
  ['v2 UNSPEC with something', binary({ family: 0x01, addresses: Buffer.alloc(40) }), undefined],
  ['v2 over a unix socket', binary({ family: 0x31, addresses: UNIX }), undefined],
  ['v2 over a unix socket of datagrams', binary({ family: 0x32, addresses: UNIX }), undefined],
];

const MALFORMED: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['a request', Buffer.from('GET / HTTP/1.1\r\n'), /something else/],
  ['one byte of TLS', Buffer.from([0x16]), /something else/],
  ['v1 in lower case', Buffer.from('proxy TCP4'), /something else/],
  ['v1 without its space', Buffer.from('PROXY\r\n'), /something else/],
  ['v2 with a wrong signature', Buffer.from('\r\n\r\n\0\r\nQUIX\n'), /something else/],
  ['v1 of another protocol', line('UDP4 192.0.2.1 10.0.0.1 1 2'), /none of/],
  ['v1 of a protocol in lower case', line('tcp4 192.0.2.1 10.0.0.1 1 2'), /none of/],
  ['v1 of a protocol that begins like another', line('UNKNOWNS'), /none of/],
  ['v1 of nothing', line(''), /none of/],
  ['v1 with an address of the other family', line('TCP4 ::1 10.0.0.1 1 2'), /two addresses/],
  ['v1 with an IPv4 address as TCP6', line('TCP6 192.0.2.1 10.0.0.1 1 2'), /two addresses/],
  ['v1 with leading zeros', line('TCP4 192.0.02.1 10.0.0.1 1 2'), /two addresses/],
  ['v1 with a scope', line('TCP6 fe80::1%eth0 ::1 1 2'), /two addresses/],
  ['v1 with a name', line('TCP4 localhost 10.0.0.1 1 2'), /two addresses/],
  ['v1 with a wrong destination', line('TCP4 192.0.2.1 10.0.0.256 1 2'), /two addresses/],
  ['v1 with a great port', line('TCP4 192.0.2.1 10.0.0.1 65536 2'), /two addresses/],
  ['v1 with a port in hexadecimal', line('TCP4 192.0.2.1 10.0.0.1 0x1 2'), /two addresses/],
  ['v1 with a port with a zero before it', line('TCP4 192.0.2.1 10.0.0.1 01 2'), /two addresses/],
  ['v1 without ports', line('TCP4 192.0.2.1 10.0.0.1'), /two addresses/],
  ['v1 with two spaces', line('TCP4  192.0.2.1 10.0.0.1 1 2'), /two addresses/],
  ['v1 with more', line('TCP4 192.0.2.1 10.0.0.1 1 2 3'), /two addresses/],
  ['v1 with a line too long', line(`UNKNOWN ${'f'.repeat(92)}`), /too long/],
  ['v1 without an end', Buffer.from(`PROXY ${'f'.repeat(LONGEST_TEXT_HEADER)}`), /too long/],
  ['v2 of version 1', binary({ command: 0x11 }), /version or command/],
  ['v2 of version 3', binary({ command: 0x31 }), /version or command/],
  ['v2 with another command', binary({ command: 0x22 }), /version or command/],
  ['v2 of another family', binary({ family: 0x41 }), /family or transport/],
  ['v2 of another transport', binary({ family: 0x13 }), /family or transport/],
  ['v2 over UDP', binary({ family: 0x12 }), /than TCP/],
  ['v2 over IPv6 of no transport', binary({ family: 0x20, addresses: ipv6(V6) }), /than TCP/],
  ['v2 too short for IPv4', binary({ addresses: ipv4('192.0.2.1').subarray(1) }), /too short/],
  ['v2 too short for IPv6', binary({ family: 0x21, addresses: ipv6(V6).subarray(1) }), /too short/],
  ['v2 too short for a unix socket', binary({ family: 0x31, addresses: UNIX.subarray(1) }), /too short/],
  ['v2 with one byte too many', binary({ length: LONGEST_BINARY_HEADER - 15 }), /too long/],
  ['v2 LOCAL that is too long', binary({ command: 0x20, length: 65_535 }), /too long/],
];

function expectedOf(header: Uint8Array, address: string | undefined) {
  const { length } = header;
  return address === undefined ? { kind: 'proxy', length } : { kind: 'client', address, length };
}

describe('the header of the PROXY protocol', () => {
  it.each(VALID)('%s', (_, header, address) => {
    expect(readProxyHeader(header)).toEqual(expectedOf(header, address));
  });

  it.each(MALFORMED)('is malformed: %s', (_, bytes, mistake) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'malformed', mistake: expect.stringMatching(mistake) });
  });

  it('is incomplete up to its last byte, and is not changed by what follows', () => {
    let cuts = 0;
    for (const [, header, address] of VALID) {
      for (let end = 0; end < header.length; end++) {
        expect(readProxyHeader(header.subarray(0, end)).kind).toBe('incomplete');
        cuts++;
      }
      for (const rest of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), header, Buffer.alloc(70_000, 0x16)]) {
        expect(readProxyHeader(Buffer.concat([header, rest]))).toEqual(expectedOf(header, address));
      }
    }
    expect(cuts).toBeGreaterThan(1000);
  });

  it('is told once, whatever pieces it comes in', () => {
    const pieces = fc.tuple(fc.constantFrom(...VALID), fc.array(fc.nat(), { maxLength: 8 }), fc.uint8Array());
    fc.assert(
      fc.property(pieces, ([[, header, address], cuts, rest]) => {
        const all = Buffer.concat([header, rest]);
        const ends = [...cuts.map((cut) => cut % (all.length + 1)), all.length].toSorted((a, b) => a - b);
        const answers = ends.map((end) => readProxyHeader(all.subarray(0, end)));
        const first = answers.find(({ kind }) => kind !== 'incomplete');
        expect(first).toEqual(expectedOf(header, address));
      }),
    );
  });

  it('throws nothing, and finds no header that is longer than what came', () => {
    const kinds = new Set<string>();
    const changed = fc
      .tuple(fc.constantFrom(...VALID), fc.nat(), fc.nat({ max: 255 }))
      .map(([[, header], at, byte]) => {
        const copy = Buffer.from(header);
        copy[at % copy.length] = byte;
        return copy;
      });
    const words = fc.constantFrom('TCP4', 'TCP6', 'UNKNOWN', '::1', '1.2.3.4', '::', '1', '65536', '%', '\r\n', '\xff');
    const lines = fc.array(words, { maxLength: 9 }).map((parts) => line(parts.join(' ')));
    fc.assert(
      fc.property(fc.oneof(changed, lines, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        const header = readProxyHeader(bytes);
        kinds.add(header.kind);
        if (header.kind === 'client' || header.kind === 'proxy') {
          expect(header.length).toBeLessThanOrEqual(bytes.length);
        }
      }),
      { numRuns: 5000 },
    );
    expect([...kinds].toSorted()).toEqual(['client', 'incomplete', 'malformed', 'proxy']);
  });
});
