-- Give a turn, or the place in the queue, back.
--
-- KEYS  1 queue  2 ticket -> until when it counts, ms
-- ARGV  1 ticket  2 prefix of the channels on which processes learn of their turn
-- Returns the ticket whose turn it is now, or false

redis.call('LREM', KEYS[1], 1, ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local following = pass_on(KEYS[1], KEYS[2], time_ms())
if following then
  redis.call('PUBLISH', ARGV[2] .. string.match(following, '^[^/]*'), following)
end
return following
