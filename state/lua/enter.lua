-- Queue for a turn in one conversation, or say that one still waits or works.
--
-- KEYS  1 queue: tickets, the first has its turn  2 ticket -> until when it counts, ms
-- ARGV  1 ticket  2 how long a ticket counts, ms  3 NEW: join at the end | KEEP: only if it is still there
-- Returns 1 when it is this ticket's turn, 0 while it waits, -1 when it is no longer there

local now = time_ms()
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  if ARGV[3] ~= 'NEW' then
    return -1
  end
  redis.call('RPUSH', KEYS[1], ARGV[1])
end
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
pass_on(KEYS[1], KEYS[2], now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return redis.call('LINDEX', KEYS[1], 0) == ARGV[1] and 1 or 0
