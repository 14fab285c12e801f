-- Move one timer that is due into the inbox, as an event of its conversation.
--
-- KEYS  1 lease  2 timers  3 timers of the conversation  4 inbox
-- ARGV  1 lease value  2 conversation  3 name  4 now, ms
-- Returns FIRED, FENCED, or GONE when it was cancelled or set anew meanwhile

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 'FENCED'
end
local timer = timer_of(ARGV[2], ARGV[3])
local due = redis.call('ZSCORE', KEYS[2], timer)
if not due or tonumber(due) > tonumber(ARGV[4]) then
  return 'GONE'
end
redis.call('ZREM', KEYS[2], timer)
local packed = redis.call('HGET', KEYS[3], ARGV[3])
if not packed then
  return 'GONE'
end
local event, bound = unpack(cmsgpack.unpack(packed))
local id = redis.call('XADD', KEYS[4], '*', 'e', event, 'c', ARGV[2], 'x', '')
redis.call('HDEL', KEYS[3], ARGV[3])
redis.call('HSET', KEYS[3], '>' .. id, cmsgpack.pack({ ARGV[3], bound }))
return 'FIRED'
