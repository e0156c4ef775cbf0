/**
 * Counters that several processes share: windows of fixed length, beginning with a key's first event. While Redis does not
 * answer each process counts for itself, so that limits grow by the number of processes at most, and never vanish. A Redis
 * that is too slow for reads still counts: a login may wait for it.
 */
import { type RedisLink, script } from '../redis/link.ts';
import type { Count, Counters } from './counters.ts';
import { createMemoryCounters } from './memory.ts';

export interface RedisCountersOptions {
  readonly link: RedisLink;
  /** Milliseconds of a window. */
  readonly window: number;
  /** Milliseconds since the epoch, for counting without Redis. */
  readonly clock: () => number;
  /** Before every key, to share a Redis with others; `fosp:`. */
  readonly prefix?: string;
}

/** KEYS: the counter. ARGV: milliseconds of a window, events to add. Returns the count and what is left of the window. */
const COUNT = script(`
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
local added = tonumber(ARGV[2])
if added > 0 then
  count = redis.call('INCRBY', KEYS[1], added)
end
local life = redis.call('PTTL', KEYS[1])
if life == -1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  life = tonumber(ARGV[1])
end
return { count, math.max(life, 0) }
`);

export function createRedisCounters(options: RedisCountersOptions): Counters {
  const { link, window, prefix = 'fosp:' } = options;
  const alone = createMemoryCounters(options);

  async function count(key: string, added: 0 | 1): Promise<Count> {
    if (link.isUsableForLimits) {
      try {
        const answer = await link.runPatiently(COUNT, [`${prefix}n${key}`], [window, added]);
        const [total, left] = Array.isArray(answer) ? answer.map(Number) : [];
        return { count: total ?? 0, resetsIn: left ?? 0 };
      } catch {
        // Below.
      }
    }
    return added > 0 ? alone.add(key) : alone.read(key);
  }

  return { add: (key) => count(key, 1), read: (key) => count(key, 0) };
}
