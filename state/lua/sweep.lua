-- Give up what has waited too long for its conversation, and forget dead letters that are older than their retention.
--
-- KEYS  1 lease  2 unresolved  3 dead
-- ARGV  1 lease value  2 give up what came before, ms  3 forget what died before, ms  4 why, MessagePack
-- Returns how many events were given up, or -1 when the lease is no longer ours

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end
local old = redis.call('XRANGE', KEYS[2], '-', '(' .. ARGV[2], 'COUNT', 100)
for _, entry in ipairs(old) do
  local fields = entry[2]
  fields[#fields + 1] = 'why'
  fields[#fields + 1] = ARGV[4]
  redis.call('XADD', KEYS[3], '*', unpack(fields))
  redis.call('XDEL', KEYS[2], entry[1])
end
redis.call('XTRIM', KEYS[3], 'MINID', ARGV[3])
return #old
