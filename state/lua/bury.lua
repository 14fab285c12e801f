-- Keep what nobody can understand as a dead letter, once.
--
-- KEYS  1 seen  2 dead
-- ARGV  1 envelope  2 why, MessagePack  3 remember for, ms
-- Returns {ACCEPTED | DUPLICATE, id}

local seen = redis.call('GET', KEYS[1])
if seen then
  return { 'DUPLICATE', seen }
end
local id = redis.call('XADD', KEYS[2], '*', 'e', ARGV[1], 'why', ARGV[2])
redis.call('SET', KEYS[1], id, 'PX', ARGV[3])
return { 'ACCEPTED', id }
