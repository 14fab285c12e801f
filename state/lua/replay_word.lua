-- Owe a subscriber once more a word that was given up, under the id that it had. A letter is moved once.
--
-- KEYS  1 dead  2 owed to the subscriber
-- ARGV  1 id of the letter  2 how long what a subscriber is owed is kept, ms
-- Returns {REPLAYED, id} or {GONE | HOMELESS}

local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then
  return { 'GONE' }
end
local kept = {}
for position = 1, #letter[2], 2 do
  kept[letter[2][position]] = letter[2][position + 1]
end
if not kept.d then
  return { 'HOMELESS' }
end
local id = redis.call('XADD', KEYS[2], '*', 'c', kept.c, 'd', kept.d, 'n', kept.n)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[1])
return { 'REPLAYED', id }
