-- Let a parked event be looked at again, as if its conversation's state had changed.
--
-- KEYS  1 parked  2 parked of the conversation  3 inbox  4 lease
-- ARGV  1 inbox id  2 prefix of the wake channels
-- Returns 1, or 0 when it is not parked

if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('SREM', KEYS[2], ARGV[1])
local lease = redis.call('GET', KEYS[4])
local owner = lease and string.match(lease, '^(.*)/')
if owner then
  redis.call('PUBLISH', ARGV[2] .. owner, KEYS[3])
end
return 1
