-- End one word that a subscriber is owed: it has it, or it is given up as a dead letter.
--
-- KEYS  1 owed to the subscriber  2 tries  3 dead
-- ARGV  1 entry  2 envelope or ''  3 conversation  4 why, MessagePack
-- Returns 1, or 0 when somebody else has ended it

if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[1])
if ARGV[2] ~= '' then
  redis.call('XADD', KEYS[3], '*', 'e', ARGV[2], 'c', ARGV[3], 'x', '', 'why', ARGV[4])
end
return 1
