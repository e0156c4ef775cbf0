/**
 * IP addresses: their one spelling, and which of them lead out to the internet. What DNS says of another domain is that
 * domain's word, and would otherwise make this server open connections within its own network, to the services of its
 * machine, or to the metadata of its cloud.
 *
 * Invariant: an address that holds an IPv4 address (IPv4-mapped, NAT64, 6to4) is judged as that one.
 */
import { isIP, SocketAddress } from 'node:net';
import { type Networks, parseNetworks } from '@fosp/runtime';

/** The IANA registries of special-purpose addresses, less what is reachable from everywhere and has servers. */
const SPECIAL = parseNetworks([
  '0.0.0.0/8', // this network; 0.0.0.0 itself connects to loopback
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by the customers of a carrier; a cloud's metadata at 100.100.100.200
  '127.0.0.0/8', // loopback
  '168.63.129.16', // a cloud's host agent, on an address that is otherwise public
  '169.254.0.0/16', // link-local; the clouds' metadata at 169.254.169.254
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; a cloud's metadata at 192.0.0.192
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4, out of use
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '2001::/23', // protocol assignments, Teredo
  '2001:db8::/32', // documentation
  '3fff::/20', // documentation
]);

/** All that IPv6 hands out: loopback, link-local, unique local (fd00:ec2::254), site-local, multicast lie outside of it. */
const GLOBAL_UNICAST = parseNetworks(['2000::/3']);

/** Translated to IPv4 on the way; the address is in the last 32 bits. */
const NAT64 = parseNetworks(['64:ff9b::/96']);

/** Carried within IPv4; the address follows the first 16 bits. */
const SIX_TO_FOUR = parseNetworks(['2002::/16']);

/**
 * The one spelling of an address, by which two can be compared: IPv4 in place of IPv4-mapped IPv6, no zone (`%eth0`).
 * `undefined` where the text is no address.
 */
export function plainAddress(text: string): string | undefined {
  const [address = ''] = text.split('%');
  switch (isIP(address)) {
    case 4:
      return address;
    case 6: {
      const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
      const mapped = canonical.startsWith('::ffff:') ? canonical.slice('::ffff:'.length) : '';
      return isIP(mapped) === 4 ? mapped : canonical;
    }
    default:
      return undefined;
  }
}

/** Does this address, in its plain spelling, lead to a machine of the internet? */
export function isPublicAddress(plain: string): boolean {
  if (isIP(plain) === 4) {
    return !SPECIAL.has(plain);
  }
  if (NAT64.has(plain)) {
    return isPublicAddress(embedded(plain, 6));
  }
  if (SIX_TO_FOUR.has(plain)) {
    return isPublicAddress(embedded(plain, 1));
  }
  return GLOBAL_UNICAST.has(plain) && !SPECIAL.has(plain);
}

/**
 * May an address that another domain named be dialled, and believed? A public one, or one that the operator lists. Takes
 * any spelling; says no to what is no address.
 */
export function addressRule(listed: Networks): (address: string) => boolean {
  return (address) => {
    const plain = plainAddress(address);
    return plain !== undefined && (listed.has(plain) || isPublicAddress(plain));
  };
}

/** The IPv4 address in two of the eight groups of an IPv6 address, from that group on. */
function embedded(plain: string, group: number): string {
  const groups = groupsOf(plain);
  const bytes = groups.slice(group, group + 2).flatMap((value) => [value >> 8, value & 0xff]);
  return bytes.join('.');
}

function groupsOf(plain: string): number[] {
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter((digits) => digits !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].map((digits) => Number.parseInt(digits, 16));
}
