import { isIPv6 } from 'node:net';

/** What counts as one address, where addresses are counted: an IPv6 one as its /64, since whoever has one has them all. */
export function addressBlock(address: string): string {
  if (!isIPv6(address)) {
    return address;
  }
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) {
    return mapped;
  }
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const zeros = tail === undefined ? 0 : 4;
  const block = [...groups, ...Array<string>(zeros).fill('0')].slice(0, 4);
  return `${block.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
