-- End one word that a subscriber is owed: it has it, or it is given up as a dead letter.
--
-- KEYS  1 owed to the subscriber  2 tries  3 dead
-- ARGV  1 entry  2 envelope or ''  3 conversation  4 why, MessagePack
-- Returns 1, or 0 when somebody else has ended it

local word = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not word then
  return 0
end
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if ARGV[2] ~= '' then
  -- d and n are what a replay needs: the change itself, and the id under which it was told.
  local told, first = word[2][4], word[2][6] or word[1]
  redis.call('XADD', KEYS[3], '*', 'e', ARGV[2], 'c', ARGV[3], 'x', '', 'why', ARGV[4], 'd', told, 'n', first)
end
return 1
