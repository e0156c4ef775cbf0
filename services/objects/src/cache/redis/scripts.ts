/** What must happen in one moment inside Redis. All keys of a call belong to one tree. */
import { script } from '../../redis/link.ts';

/**
 * A reader found nothing: the epoch and the mark to be seen before it asks the store. Makes what is missing. The mark is
 * empty where another reader filled the entry meanwhile, so that there is nothing left to do.
 * KEYS: epoch, contents. ARGV: a fresh epoch, a fresh mark, milliseconds that a mark and that an epoch lives.
 */
export const BEGIN = script(`
local epoch = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], epoch, 'PX', ARGV[4])
local start = redis.call('GETRANGE', KEYS[2], 0, 127)
if string.sub(start, 1, 1) == 'm' then
  return { epoch, start }
end
local entry = 'e' .. epoch .. '\\31'
if string.sub(start, 1, #entry) == entry then
  return { epoch, '' }
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return { epoch, ARGV[2] }
`);

/**
 * Keeps what the store said, for what is left of the mark's life: 1, or 0 where it is refused.
 * KEYS: epoch, contents, then levels and groups. ARGV: the epoch and the mark seen at the miss, the values of the other keys.
 */
export const FILL = script(`
local epoch, mark = ARGV[1], ARGV[2]
if redis.call('GET', KEYS[1]) ~= epoch or redis.call('GETRANGE', KEYS[2], 0, 127) ~= mark then
  return 0
end
local prefix = epoch .. '\\31'
local same = {}
for i = 3, #KEYS do
  local old = redis.call('GET', KEYS[i])
  same[i] = old == ARGV[i + 1]
  if old and not same[i] and string.sub(old, 1, #prefix) == prefix then
    return 0
  end
end
local life = redis.call('PTTL', KEYS[2])
if life <= 0 then
  return 0
end
redis.call('SET', KEYS[2], ARGV[3], 'PX', life)
for i = 3, #KEYS do
  if not same[i] or redis.call('PTTL', KEYS[i]) < life then
    redis.call('SET', KEYS[i], ARGV[i + 1], 'PX', life)
  end
end
return 1
`);
