import { describe, expect, it } from 'vitest';
import { Hasher } from '../src/hashing.ts';

const CHEAP = { memory: 8, passes: 1, parallelism: 1 };
const LIMITS = {
  ...{ running: 1, waiting: 1, newRunning: 1, newWaiting: 1, retryAfter: 1, begun: () => undefined },
  cost: { memory: 19_456, passes: 2, parallelism: 1 },
};
const SALT = Buffer.alloc(16, 1).toString('base64url');

describe('hashing', () => {
  it('F22 gives what the reference implementation of argon2id gives', async () => {
    const hasher = new Hasher({ ...LIMITS, running: 1, waiting: 1 });
    const salt = Buffer.from('somesalt').toString('base64url');
    const hash = await hasher.hash('password', salt, { memory: 65_536, passes: 2, parallelism: 1 });
    expect(Buffer.from(hash, 'base64url').toString('hex')).toBe(
      '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7',
    );
  });

  it('F22 takes a password typed in two normal forms for the same', async () => {
    const hasher = new Hasher({ ...LIMITS, running: 2, waiting: 0 });
    const composed = await hasher.hash('caf\u00e9', SALT, CHEAP);
    expect(await hasher.hash('cafe\u0301', SALT, CHEAP)).toBe(composed);
  });

  it('F22 hashes a new password with a salt of its own and the stated cost', async () => {
    const hasher = new Hasher({ ...LIMITS, running: 1, waiting: 1 });
    const [one, other] = await Promise.all([hasher.hashNew('secret'), hasher.hashNew('secret')]);
    expect(one.salt).not.toBe(other.salt);
    expect(one.secret).not.toBe(other.secret);
    expect(Buffer.from(one.salt, 'base64url')).toHaveLength(16);
    expect({ memory: one.memory, passes: one.passes, parallelism: one.parallelism }).toEqual({
      memory: String(LIMITS.cost.memory),
      passes: String(LIMITS.cost.passes),
      parallelism: String(LIMITS.cost.parallelism),
    });
    expect(await hasher.hash('secret', one.salt, LIMITS.cost)).toBe(one.secret);
  });

  it('F22 refuses with 429 what neither runs nor may wait, and goes on with the rest', async () => {
    const hasher = new Hasher({ ...LIMITS, running: 1, waiting: 2, retryAfter: 7 });
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c', 'd', 'e'].map((password) => hasher.hash(password, SALT, CHEAP)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(outcomes[4]).toMatchObject({ reason: { status: 429, headers: { 'Retry-After': '7' } } });
    expect(hasher.load).toBe(0);
    expect(await hasher.hash('f', SALT, CHEAP)).toHaveLength(43);
  });

  it.each([
    ['a place of its own', { running: 2, waiting: 0 }],
    ['the next turn where one is hashed at a time', { running: 1, waiting: 1 }],
  ])('F22 leaves a login %s, however many new passwords wait, and bounds those', async (_, places) => {
    const hasher = new Hasher({ ...LIMITS, ...places, newWaiting: 3, retryAfter: 7 });
    const order: string[] = [];
    const noted = async (what: string, hash: Promise<unknown>) => {
      await hash;
      order.push(what);
    };
    const flood = ['a', 'b', 'c', 'd'].map((password) => noted('new', hasher.hashNew(password)));
    await expect(hasher.hashNew('e')).rejects.toMatchObject({ status: 429, headers: { 'Retry-After': '7' } });
    await Promise.all([...flood, noted('login', hasher.hash('f', SALT, CHEAP))]);
    expect(order.indexOf('login')).toBeLessThan(2);
    expect(hasher.load).toBe(0);
  });
});
