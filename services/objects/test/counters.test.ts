import { type RedisServer, redisInstalled, startBadNetwork, startRedis } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisCounters } from '../src/counters/redis.ts';
import { type Counters, createMemoryCounters } from '../src/index.ts';
import { openRedisLink } from '../src/redis/link.ts';
import { untilUsable } from './redis.ts';

const without = redisInstalled() ? '' : ' (left out: redis-server is not installed; apt-get install redis-server)';
const PATIENT = { patience: 2_000, confirmPatience: 20_000 };
const HOUR = 3_600_000;

function promises(open: (window: number) => Counters): void {
  it('counts per key, and reads without counting', async () => {
    const counters = open(HOUR);
    expect(await counters.read('a')).toEqual({ count: 0, resetsIn: 0 });
    for (let count = 1; count <= 3; count++) {
      expect(await counters.add('a')).toMatchObject({ count });
    }
    const { count, resetsIn } = await counters.read('a');
    expect(count).toBe(3);
    expect(resetsIn).toBeGreaterThan(HOUR / 2);
    expect(resetsIn).toBeLessThanOrEqual(HOUR);
    expect(await counters.add('b')).toMatchObject({ count: 1 });
  });

  it('begins anew once the window that the first event began has ended', async () => {
    const counters = open(60);
    await counters.add('a');
    await expect.poll(async () => (await counters.read('a')).count).toBe(0);
    expect(await counters.read('a')).toEqual({ count: 0, resetsIn: 0 });
    expect(await counters.add('a')).toMatchObject({ count: 1 });
  });
}

describe('counters in memory', () => {
  promises((window) => createMemoryCounters({ window, clock: Date.now }));
});

describe.skipIf(!redisInstalled())(`counters in Redis${without}`, () => {
  let server: RedisServer;
  let link: ReturnType<typeof openRedisLink>;
  let prefixes = 0;
  const open = (window: number, prefix = `test${prefixes++}:`) =>
    createRedisCounters({ link, window, clock: Date.now, prefix });
  beforeAll(async () => {
    server = await startRedis();
    link = openRedisLink({ url: server.url, ...PATIENT });
    await untilUsable(link);
  });
  afterAll(async () => {
    await link.close();
    await server.stop();
  });

  promises(open);

  it('count for all processes together', async () => {
    const [one, other] = [open(HOUR, 'shared:'), open(HOUR, 'shared:')];
    const counts = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : other).add('a')));
    expect(counts.map(({ count }) => count).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  it('count for all together where Redis is slow too, as long as logins may wait for it', async () => {
    let lag = 0;
    await using slow = await startBadNetwork({ port: server.port, lag: () => lag });
    const links = [1, 2].map(() =>
      openRedisLink({ url: `redis://127.0.0.1:${slow.port}`, patience: 15, confirmPatience: 60_000 }),
    );
    const processes = links.map((each) =>
      createRedisCounters({ link: each, window: HOUR, clock: Date.now, prefix: 'slow:' }),
    );
    await Promise.all(links.map(untilUsable));
    lag = 20;
    for (const each of links) {
      while (each.isUsable) {
        await each.mget(['nothing']).catch(() => undefined);
      }
    }
    const counts: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (const counters of processes) {
        counts.push((await counters.add('a')).count);
      }
    }
    expect(counts.at(-1)).toBe(8);
    await Promise.all(links.map((each) => each.close()));
  });

  it('go on in the process alone while Redis is gone', async () => {
    const counters = open(HOUR);
    await counters.add('a');
    await server.kill();
    for (let count = 1; count <= 20; count++) {
      expect(await counters.add('a')).toMatchObject({ count });
    }
    await server.restart();
    await expect.poll(() => link.isUsableForLimits).toBe(true);
    expect(await counters.add('a')).toMatchObject({ count: 1 });
  });
});
