import { beforeEach, describe, expect, it } from 'vitest';
import { type Kept, LookupCache, type LookupCacheOptions } from '../../src/discovery/lookup-cache.ts';

let now = 0;
let looked: string[] = [];

beforeEach(() => {
  now = 0;
  looked = [];
});

function cacheOf(options: Partial<LookupCacheOptions<string>> = {}): LookupCache<string> {
  return new LookupCache({
    ...{ capacity: 10, atOnce: 2, reserved: 0, waiting: 1, clock: () => now },
    isFound: (value) => value !== 'nothing',
    ...options,
  });
}

/** Brings the key and how often anything was looked up. */
function look(key: string, seconds = 60): () => Promise<Kept<string>> {
  return async () => {
    looked.push(key);
    return { value: `${key}${looked.length}`, seconds };
  };
}

/** Lookups that end when told to. */
function heldLooks() {
  const ends = new Map<string, PromiseWithResolvers<Kept<string>>>();
  const held = (key: string) => () => {
    looked.push(key);
    const end = Promise.withResolvers<Kept<string>>();
    ends.set(key, end);
    return end.promise;
  };
  return { held, end: (key: string) => ends.get(key)?.resolve({ value: key, seconds: 60 }), ends };
}

describe('what was looked up', () => {
  it('F62 is kept for as long as it holds, and looked up again then', async () => {
    const cache = cacheOf();
    expect(await cache.get('a', look('a', 10))).toBe('a1');
    now = 9_999;
    expect(await cache.get('a', look('a', 10))).toBe('a1');
    now = 10_000;
    expect(await cache.get('a', look('a', 10))).toBe('a2');
    expect(looked).toEqual(['a', 'a']);
  });

  it('F62 is looked up once for all who ask meanwhile', async () => {
    const cache = cacheOf();
    const { held, end } = heldLooks();
    const asked = [cache.get('a', held('a')), cache.get('a', held('a')), cache.get('a', held('a'))];
    end('a');
    expect(await Promise.all(asked)).toEqual(['a', 'a', 'a']);
    expect(looked).toEqual(['a']);
  });

  it('F62 is forgotten when told so, unless it is being looked up anyway', async () => {
    const cache = cacheOf();
    await cache.get('a', look('a'));
    cache.forget('a');
    cache.forget('never asked for');
    expect(await cache.get('a', look('a'))).toBe('a2');
    const { held, end } = heldLooks();
    const running = cache.get('b', held('b'));
    cache.forget('b');
    const joined = cache.get('b', held('b'));
    end('b');
    expect(await Promise.all([running, joined])).toEqual(['b', 'b']);
    expect(looked).toEqual(['a', 'a', 'b']);
  });

  it('F62 is dropped for what was asked for later', async () => {
    const cache = cacheOf({ capacity: 2 });
    await cache.get('a', look('a'));
    await cache.get('b', look('b'));
    await cache.get('a', look('a'));
    await cache.get('c', look('c'));
    expect(cache.size).toBe(2);
    expect(await cache.get('a', look('a'))).toBe('a1');
    expect(await cache.get('b', look('b'))).toBe('b4');
  });
});

describe('lookups', () => {
  it('F62 wait for their turn, and are refused where too many wait', async () => {
    const cache = cacheOf();
    const { held, end } = heldLooks();
    const asked = ['a', 'b', 'c'].map((key) => cache.get(key, held(key)));
    await expect(cache.get('d', held('d'))).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    expect(looked).toEqual(['a', 'b']);
    end('a');
    expect(await asked[0]).toBe('a');
    await expect.poll(() => looked).toEqual(['a', 'b', 'c']);
    end('b');
    end('c');
    expect(await Promise.all(asked)).toEqual(['a', 'b', 'c']);
    // All turns are free again.
    const more = ['e', 'f'].map((key) => cache.get(key, held(key)));
    expect(looked).toEqual(['a', 'b', 'c', 'e', 'f']);
    end('e');
    end('f');
    await Promise.all(more);
  });

  it('F62 that fail are not kept, and give their turn back', async () => {
    const cache = cacheOf({ atOnce: 1, waiting: 0 });
    const { held, ends } = heldLooks();
    const asked = [cache.get('a', held('a')), cache.get('a', held('a'))];
    ends.get('a')?.reject(new Error('no'));
    const results = await Promise.allSettled(asked);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.get('a', look('a'))).toBe('a2');
  });

  it('F62 of what was found before have places of their own, whatever else is looked up', async () => {
    const cache = cacheOf({ atOnce: 2, reserved: 1 });
    expect(await cache.get('live', look('live', 10))).toBe('live1');
    now = 10_000;
    const { held, end } = heldLooks();
    const dead = ['a', 'b'].map((key) => cache.get(key, held(key)));
    await expect(cache.get('c', held('c'))).rejects.toMatchObject({ code: 'unavailable' });
    expect(await cache.get('live', look('live'))).toBe('live3');
    expect(looked).toEqual(['live', 'a', 'live']);
    end('a');
    await expect.poll(() => looked).toEqual(['live', 'a', 'live', 'b']);
    end('b');
    expect(await Promise.all(dead)).toEqual(['a', 'b']);
  });

  it('F62 of what was found before go before others that wait, also where it was forgotten', async () => {
    const cache = cacheOf({ atOnce: 1, waiting: 1 });
    expect(await cache.get('live', look('live'))).toBe('live1');
    cache.forget('live');
    const { held, end } = heldLooks();
    const asked = ['a', 'b'].map((key) => cache.get(key, held(key)));
    const live = cache.get('live', held('live'));
    end('a');
    await expect.poll(() => looked).toEqual(['live', 'a', 'live']);
    end('live');
    expect(await live).toBe('live');
    await expect.poll(() => looked).toEqual(['live', 'a', 'live', 'b']);
    end('b');
    await Promise.all(asked);
  });

  it('F62 of what was found to be nothing have no such place', async () => {
    const cache = cacheOf({ atOnce: 2, reserved: 1, waiting: 0 });
    await cache.get('gone', async () => ({ value: 'nothing', seconds: 0 }));
    const { held, end } = heldLooks();
    const asked = cache.get('a', held('a'));
    await expect(cache.get('gone', held('gone'))).rejects.toMatchObject({ code: 'unavailable' });
    end('a');
    await asked;
  });
});
