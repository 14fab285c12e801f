-- Keep an event of a group under the supergroup's id, once: whoever forwards it may die before it ends the old entry.
--
-- KEYS  1 seen  2 inbox  3 lease
-- ARGV  1 envelope  2 conversation  3 terms or ''  4 journal, MessagePack, or ''  5 remember for, ms
--       6 prefix of the wake channels
-- Returns its inbox id

local seen = redis.call('GET', KEYS[1])
if seen then
  return seen
end
local fields = { 'e', ARGV[1], 'c', ARGV[2], 'x', ARGV[3] }
if ARGV[4] ~= '' then
  fields[7], fields[8] = 'j', ARGV[4]
end
local id = redis.call('XADD', KEYS[2], '*', unpack(fields))
redis.call('SET', KEYS[1], id, 'PX', ARGV[5])
local lease = redis.call('GET', KEYS[3])
local owner = lease and string.match(lease, '^(.*)/')
if owner then
  redis.call('PUBLISH', ARGV[6] .. owner, KEYS[2])
end
return id
