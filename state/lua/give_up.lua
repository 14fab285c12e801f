-- Make a dead letter of what waits: a parked event, or one without a conversation.
--
-- Whoever works on it at this moment finds its entry gone, and commits nothing.
--
-- KEYS  1 inbox or unresolved  2 dead  3 attempts  4 due  5 journal  6 parked  [7 parked of the conversation]
-- ARGV  1 id  2 why, MessagePack
-- Returns 1, or 0 when it waits no more

local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry or KEYS[7] and not redis.call('ZSCORE', KEYS[6], ARGV[1]) then
  return 0
end
redis.call('XADD', KEYS[2], '*', unpack(letter_of(entry, ARGV[2], KEYS[3], KEYS[5])))
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('DEL', KEYS[5])
redis.call('ZREM', KEYS[6], ARGV[1])
if KEYS[7] then
  redis.call('SREM', KEYS[7], ARGV[1])
end
return 1
