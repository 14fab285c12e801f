-- Give up events that have waited too long for their conversation, and forget dead letters past their retention.
--
-- KEYS  1 lease  2 unresolved  3 dead  then, for each event: its end
-- ARGV  1 lease value  2 forget what died before, ms  3 why, MessagePack  4 for how long to keep how they ended, ms
--       then the events' ids
-- Returns how many events were given up, or -1 when the lease is no longer ours

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end
local now = redis.call('TIME')
local ended = cmsgpack.pack({ 'dead', now[1] * 1000 + math.floor(now[2] / 1000), ARGV[3] })
local given_up = 0
for position = 5, #ARGV do
  local entry = redis.call('XRANGE', KEYS[2], ARGV[position], ARGV[position])[1]
  if entry then
    local fields = entry[2]
    fields[#fields + 1] = 'why'
    fields[#fields + 1] = ARGV[3]
    fields[#fields + 1] = 'i'
    fields[#fields + 1] = entry[1]
    redis.call('XADD', KEYS[3], '*', unpack(fields))
    redis.call('XDEL', KEYS[2], entry[1])
    redis.call('SET', KEYS[position - 1], ended, 'PX', ARGV[4])
    given_up = given_up + 1
  end
end
redis.call('XTRIM', KEYS[3], 'MINID', ARGV[2])
return given_up
