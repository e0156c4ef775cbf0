import { describe, expect, it } from 'vitest';
import domains from '../fixtures/domains.json' with { type: 'json' };
import userNames from '../fixtures/user-names.json' with { type: 'json' };
import { normaliseDomain, normaliseUserName } from '../src/index.ts';
import { refusalOf } from './malformed.ts';

describe('user names', () => {
  it.each(userNames.valid)('$name', ({ text, normal }) => {
    expect(normaliseUserName(text)).toBe(normal);
    expect(normaliseUserName(normal)).toBe(normal);
  });

  it.each(userNames.invalid)('$name is refused', ({ text }) => {
    expect(refusalOf(() => normaliseUserName(text))).toMatch(/^(User name ".*": .*|The user name is empty)\.$/);
  });

  it('F11 a name without end is refused before any work', () => {
    expect(refusalOf(() => normaliseUserName('é'.repeat(1_000_000)))).toMatch(/longer than 2048 bytes/);
  });
});

describe('domains', () => {
  it.each(domains.valid)('$name', ({ text, normal }) => {
    expect(normaliseDomain(text)).toBe(normal);
    expect(normaliseDomain(normal)).toBe(normal);
  });

  it.each(domains.invalid)('$name is refused', ({ text }) => {
    expect(refusalOf(() => normaliseDomain(text))).toMatch(/^Domain ".*": .*\.$/);
  });

  it('F11 a domain without end is refused before any work', () => {
    expect(refusalOf(() => normaliseDomain('é'.repeat(1_000_000)))).toMatch(/longer than 253 characters/);
  });
});
