/** In one spelling: an IPv4 address in its form within IPv6, `::ffff:192.0.2.1`, is written as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
