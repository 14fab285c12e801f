-- Make a dead letter of what waits: a parked event, or one without a conversation.
--
-- Whoever works on it at this moment finds its entry gone, and commits nothing.
--
-- KEYS  1 inbox or unresolved  2 dead  3 attempts  4 due  5 journal  6 parked  7 resolved
--       8 end of the event  [9 parked of the conversation]
-- ARGV  1 id  2 why, MessagePack  3 for how long to keep how it ended, ms; 0: not at all
-- Returns 1, or 0 when it waits no more

local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry or KEYS[9] and not redis.call('ZSCORE', KEYS[6], ARGV[1]) then
  return 0
end
redis.call('XADD', KEYS[2], '*', unpack(letter_of(entry, ARGV[2], KEYS[3], KEYS[5])))
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('DEL', KEYS[5])
redis.call('ZREM', KEYS[6], ARGV[1])
if KEYS[9] then
  redis.call('SREM', KEYS[9], ARGV[1])
end

local conversation = ''
for position = 1, #entry[2], 2 do
  if entry[2][position] == 'c' then
    conversation = entry[2][position + 1]
  elseif entry[2][position] == 'o' then
    redis.call('HDEL', KEYS[7], entry[2][position + 1])
  end
end
if ARGV[3] ~= '0' then
  local now = redis.call('TIME')
  local ended = cmsgpack.pack({ 'dead', now[1] * 1000 + math.floor(now[2] / 1000), ARGV[2], conversation })
  redis.call('SET', KEYS[8], ended, 'PX', ARGV[3])
end
return 1
