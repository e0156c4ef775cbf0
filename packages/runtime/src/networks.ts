import { BlockList, isIP } from 'node:net';

/** A list of networks, such as those whose proxies are believed. */
export interface Networks {
  /** As configured. */
  readonly texts: readonly string[];
  /** Is the address in one of them? IPv4 also in its form within IPv6, `::ffff:192.0.2.1`. */
  has(address: string): boolean;
}

/** Reads entries such as `10.0.0.0/8`, `fd00::/8` or `192.0.2.1`. Throws which of them is none. */
export function parseNetworks(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const entry of texts) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const length = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(length <= most)) {
      throw new RangeError(`"${entry}" is no network such as 10.0.0.0/8`);
    }
    list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  }
  return { texts, has: (address) => contains(list, address) };
}

function contains(list: BlockList, address: string): boolean {
  const plain =
    address.toLowerCase().startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
  switch (isIP(plain)) {
    case 4:
      return list.check(plain, 'ipv4');
    case 6:
      return list.check(plain, 'ipv6');
    default:
      return false;
  }
}
