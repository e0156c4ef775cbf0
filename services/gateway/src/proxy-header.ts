/**
 * The header by which a load balancer says whose connection it passes on: the PROXY protocol, version 1 (a line of text) and
 * 2 (binary), as HAProxy's proxy-protocol.txt has them.
 *
 * Invariant: what is said of some bytes depends on them alone, nothing is thrown, and bytes behind a whole header change
 * nothing. So whoever reads asks again with all bytes so far, however they were cut.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { plainAddress } from './client-address.ts';

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  /** The connection is that of a client; `length` bytes were the header. */
  | { readonly kind: 'client'; readonly address: string; readonly length: number }
  /** The balancer speaks for itself (a health check), or for somebody who has no address. */
  | { readonly kind: 'proxy'; readonly length: number }
  /** `mistake` never quotes what came. */
  | { readonly kind: 'malformed'; readonly mistake: string };

/** With its end of line. */
export const LONGEST_TEXT_HEADER = 107;
/** The length in the header may be 65,535; balancers send some hundred bytes, most of them in extensions that are skipped. */
export const LONGEST_BINARY_HEADER = 4096;

const TEXT_SIGNATURE = Buffer.from('PROXY ');
const BINARY_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
/** Signature, version and command, family and transport, length of the rest. */
const BINARY_FIXED = 16;

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };

/** Reads the header at the start of all that has come so far. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (beginsLike(bytes, BINARY_SIGNATURE)) {
    return bytes.length < BINARY_FIXED ? INCOMPLETE : readBinary(bytes);
  }
  if (beginsLike(bytes, TEXT_SIGNATURE)) {
    return bytes.length < TEXT_SIGNATURE.length ? INCOMPLETE : readText(bytes);
  }
  return malformed('something else came in its place');
}

function beginsLike(bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.subarray(0, bytes.length).every((byte, index) => byte === bytes[index]);
}

function readText(bytes: Uint8Array): ProxyHeader {
  const text = Buffer.from(bytes.subarray(0, LONGEST_TEXT_HEADER)).toString('latin1');
  const end = text.indexOf('\r\n');
  if (end < 0) {
    return text.length < LONGEST_TEXT_HEADER ? INCOMPLETE : malformed('its line is too long');
  }
  const length = end + 2;
  const [, family, source = '', destination = '', ...ports] = text.slice(0, end).split(' ');
  if (family === 'UNKNOWN') {
    return { kind: 'proxy', length };
  }
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isUnscopedIPv6 : undefined;
  if (isAddress === undefined) {
    return malformed('its protocol is none of TCP4, TCP6, UNKNOWN');
  }
  if (!isAddress(source) || !isAddress(destination) || ports.length !== 2 || !ports.every(isPort)) {
    return malformed('its line does not have two addresses and two ports');
  }
  return { kind: 'client', address: family === 'TCP4' ? source : plainIPv6(source), length };
}

/** What each family takes in bytes: two addresses, and the ports where it has them. */
const FAMILIES = [
  { name: 'none', size: 0 },
  { name: 'IPv4', size: 12 },
  { name: 'IPv6', size: 36 },
  { name: 'unix', size: 216 },
] as const;
const STREAM = 1;
const DATAGRAM = 2;

function readBinary(bytes: Uint8Array): ProxyHeader {
  const [versionAndCommand = 0, familyAndTransport = 0, high = 0, low = 0] = bytes.subarray(12, BINARY_FIXED);
  const length = BINARY_FIXED + high * 256 + low;
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2 || command > 1) {
    return malformed('its version or command is unknown');
  }
  if (length > LONGEST_BINARY_HEADER) {
    return malformed('it is too long');
  }
  const isLocal = command === 0;
  const mistake = isLocal ? undefined : mistakeIn(familyAndTransport, length);
  if (mistake !== undefined) {
    return malformed(mistake);
  }
  if (bytes.length < length) {
    return INCOMPLETE;
  }
  const address = isLocal ? undefined : binaryAddress(familyAndTransport >> 4, bytes.subarray(BINARY_FIXED, length));
  return address === undefined ? { kind: 'proxy', length } : { kind: 'client', address, length };
}

function mistakeIn(familyAndTransport: number, length: number): string | undefined {
  const family = FAMILIES[familyAndTransport >> 4];
  const transport = familyAndTransport & 0x0f;
  if (family === undefined || transport > DATAGRAM) {
    return 'its family or transport is unknown';
  }
  const hasAddress = family.name === 'IPv4' || family.name === 'IPv6';
  if (hasAddress && transport !== STREAM) {
    return 'it speaks of something else than TCP';
  }
  return length < BINARY_FIXED + family.size ? 'it is too short for its addresses' : undefined;
}

/** The source; undefined for families that have none. */
function binaryAddress(family: number, addresses: Uint8Array): string | undefined {
  switch (FAMILIES[family]?.name) {
    case 'IPv4':
      return addresses.subarray(0, 4).join('.');
    case 'IPv6':
      return plainIPv6(
        Buffer.from(addresses.subarray(0, 16))
          .toString('hex')
          .replace(/.{4}(?!$)/g, '$&:'),
      );
    default:
      return undefined;
  }
}

function isUnscopedIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** An address may be written in many ways, and is counted by its text. */
function plainIPv6(text: string): string {
  return plainAddress(new SocketAddress({ address: text, family: 'ipv6' }).address);
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function malformed(mistake: string): ProxyHeader {
  return { kind: 'malformed', mistake };
}
