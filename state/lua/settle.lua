-- End or postpone one inbox entry without changing its conversation.
--
-- KEYS  1 lease  2 inbox  3 attempts  4 due  5 dead  6 journal  7 parked  8 parked of the conversation
--       9 conversation  10 timers of the conversation  11 end of the event
--       12 resolved
-- ARGV  1 lease value  2 inbox id  3 retry | park | ignore | dead | move
--       4 due at, ms | parked until, ms | why ignored | why, MessagePack | its new id  5 the revision that parking was decided on
--       6 for how long to keep how it ended, ms; 0: not at all
-- Returns SETTLED, FENCED, GONE, or CONFLICT when the conversation has changed meanwhile

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 'FENCED'
end
local entry = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2])[1]
if not entry then
  return 'GONE'
end

if ARGV[3] == 'retry' then
  redis.call('ZADD', KEYS[4], ARGV[4], ARGV[2])
  return 'SETTLED'
end

if ARGV[3] == 'park' then
  if (redis.call('HGET', KEYS[9], 'r') or '0') ~= ARGV[5] then
    return 'CONFLICT'
  end
  redis.call('ZADD', KEYS[7], ARGV[4], ARGV[2])
  redis.call('SADD', KEYS[8], ARGV[2])
  -- Looking at it again is no failed run; but a run that made calls has left its journal to be read.
  if redis.call('EXISTS', KEYS[6]) == 1 then
    redis.call('HSET', KEYS[3], ARGV[2], 1)
  else
    redis.call('HDEL', KEYS[3], ARGV[2])
  end
  redis.call('ZREM', KEYS[4], ARGV[2])
  return 'SETTLED'
end

local fields, conversation = entry[2], ''
for position = 1, #fields, 2 do
  if fields[position] == 'c' then
    conversation = fields[position + 1]
  elseif fields[position] == 'o' then
    redis.call('HDEL', KEYS[12], fields[position + 1])
  end
end
if ARGV[3] == 'dead' then
  redis.call('XADD', KEYS[5], '*', unpack(letter_of(entry, ARGV[4], KEYS[3], KEYS[6])))
end
redis.call('XDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('ZREM', KEYS[4], ARGV[2])
redis.call('DEL', KEYS[6])
redis.call('ZREM', KEYS[7], ARGV[2])
redis.call('SREM', KEYS[8], ARGV[2])
redis.call('HDEL', KEYS[10], '>' .. ARGV[2])
if ARGV[6] ~= '0' then
  local now = redis.call('TIME')
  local how = ({ dead = 'dead', move = 'moved' })[ARGV[3]] or 'ignored'
  local ended = cmsgpack.pack({ how, now[1] * 1000 + math.floor(now[2] / 1000), ARGV[4], conversation })
  redis.call('SET', KEYS[11], ended, 'PX', ARGV[6])
end
return 'SETTLED'
