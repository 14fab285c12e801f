-- Take the turn to ask about one payment that should have ended, for all processes together.
--
-- KEYS  1 overdue  2 the expectation
-- ARGV  1 <source> <token>  2 when it may be asked about again, ms; twice as long after each time  3 but no longer than that, ms
-- Returns TAKEN, WAITS (not due, or another process has it), or ENDED (nothing is expected any more)

local due_ms, now_ms = redis.call('ZSCORE', KEYS[1], ARGV[1]), time_ms()
if not due_ms then
  return 'ENDED'
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 'ENDED'
end
if tonumber(due_ms) > now_ms then
  return 'WAITS'
end
local times = redis.call('HINCRBY', KEYS[2], 'asked', 1)
local wait_ms = math.min(tonumber(ARGV[2]) * 2 ^ math.min(times - 1, 30), tonumber(ARGV[3]))
redis.call('ZADD', KEYS[1], now_ms + math.floor(wait_ms), ARGV[1])
return 'TAKEN'
