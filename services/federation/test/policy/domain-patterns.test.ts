import { describe, expect, it } from 'vitest';
import { DOMAIN_LIST, domainPatterns } from '../../src/policy/domain-patterns.ts';

describe('lists of domains', () => {
  it.each([
    ['realworld.lit', 'realworld.lit', true],
    ['realworld.lit', 'a.realworld.lit', false],
    ['realworld.lit', 'unrealworld.lit', false],
    ['RealWorld.lit.', 'realworld.lit', true],
    ['*.lit', 'realworld.lit', true],
    ['*.lit', 'a.b.realworld.lit', true],
    ['*.lit', 'lit', false],
    ['*.lit', 'split', false],
    ['*.realworld.lit', 'unrealworld.lit', false],
    ['*.bücher.example', 'a.xn--bcher-kva.example', true],
    ['bücher.example', 'xn--bcher-kva.example', true],
    ['other.lit,*.realworld.lit', 'a.realworld.lit', true],
    ['', 'realworld.lit', false],
  ])('F66 %j has %s: %s', (given, domain, expected) => {
    const patterns = domainPatterns(DOMAIN_LIST.parse(given));
    expect(patterns.matches(domain)).toBe(expected);
    expect(patterns.isEmpty).toBe(given === '');
  });

  it.each(['*', '*.', 'a.*.lit', '*lit', 'real world.lit', '.', 'a..b', '*.*.lit'])(
    'F66 %j is no entry of one',
    (entry) => {
      expect(() => DOMAIN_LIST.parse(`realworld.lit,${entry}`)).toThrow(/Domain ".*": /);
    },
  );
});
