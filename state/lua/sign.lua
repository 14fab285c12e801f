-- Say that a worker lives, or that it takes no more work; the server's clock counts, for all workers alike.
--
-- KEYS  1 workers
-- ARGV  1 worker  2 for how long a sign counts, ms; 0 signs off
-- Returns the workers that live

local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
if ARGV[2] == '0' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], now_ms + ARGV[2], ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_ms)
return redis.call('ZRANGE', KEYS[1], 0, -1)
