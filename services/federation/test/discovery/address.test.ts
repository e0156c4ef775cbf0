import { parseNetworks } from '@fosp/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressRule, isPublicAddress, plainAddress } from '../../src/discovery/address.ts';

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700::1111',
  '2001:200::1',
  '2a00:1450:4001::1',
];

const NOT_PUBLIC = [
  '0.0.0.0',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.0',
  '100.100.100.200',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '168.63.129.16',
  '169.254.0.0',
  '169.254.169.254',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.0',
  '192.168.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:1ff:ffff::1',
  '2001:db8::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fdff::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
];

/** The IPv6 addresses that stand for an IPv4 one. */
function formsOf(v4: string): string[] {
  const bytes = v4.split('.').map(Number);
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
  const [high, low] = [`${hex[0]}${hex[1]}`, `${hex[2]}${hex[3]}`];
  return [
    `::ffff:${v4}`,
    `::FFFF:${high}:${low}`,
    `0:0:0:0:0:ffff:${high}:${low}`,
    `64:ff9b::${v4}`,
    `64:ff9b:0:0::${high}:${low}`,
    `2002:${high}:${low}::`,
    `2002:${high}:${low}:1:2:3:4:5`,
  ];
}

const v4 = fc.ipV4();
const nobodys = addressRule(parseNetworks([]));

describe('which addresses are public', () => {
  it.each(PUBLIC)('F62 %s is, in each of its forms', (address) => {
    const forms = address.includes(':') ? [address] : [address, ...formsOf(address)];
    expect(forms.filter((form) => !nobodys(form))).toEqual([]);
  });

  it.each(NOT_PUBLIC)('F62 %s is not, in any of its forms', (address) => {
    const forms = address.includes(':') ? [address] : [address, ...formsOf(address)];
    expect(forms.filter(nobodys)).toEqual([]);
  });

  it('F62 judges an IPv6 address that holds an IPv4 one as that', () => {
    fc.assert(
      fc.property(v4, (address) => {
        const judgements = formsOf(address).map((form) => nobodys(form));
        expect(new Set(judgements)).toEqual(new Set([isPublicAddress(address)]));
      }),
    );
  });

  it('F62 says no to what is no address', () => {
    for (const text of ['', 'localhost', '127.1', '2130706433', '0x7f.0.0.1', '1.1.1.1:80', '[::1]', '1.1.1.1/8']) {
      expect(nobodys(text)).toBe(false);
    }
  });
});

describe('what the operator lists', () => {
  it.each([
    ['127.0.0.0/8', '127.0.0.1', true],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['127.0.0.0/8', '::ffff:7f00:1', true],
    ['127.0.0.0/8', '::1', false],
    ['127.0.0.0/8', '10.0.0.1', false],
    // Who lists the private network does not mean what a translator outside makes of it.
    ['10.0.0.0/8', '64:ff9b::10.0.0.1', false],
    ['64:ff9b::/96', '64:ff9b::10.0.0.1', true],
    ['fd00::/8', 'fd12::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', '1.1.1.1', true],
  ])('F62 with %s, may %s be dialled: %s', (listed, address, expected) => {
    expect(addressRule(parseNetworks([listed]))(address)).toBe(expected);
  });
});

describe('the one spelling of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:0:192.0.2.1', '::ffff:0:c000:201'],
    ['192.0.2.01', undefined],
    ['realworld.lit', undefined],
    ['', undefined],
  ])('of %s is %s', (address, expected) => {
    expect(plainAddress(address)).toBe(expected);
  });

  it('is its own spelling', () => {
    fc.assert(
      fc.property(fc.oneof(v4, fc.ipV6()), (address) => {
        const plain = plainAddress(address);
        expect(plain).toBeDefined();
        expect(plainAddress(plain ?? '')).toBe(plain);
      }),
    );
  });
});
