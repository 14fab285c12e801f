-- Move one dead letter back to the inbox. A letter is moved once, so its event cannot come back twice.
--
-- KEYS  1 dead  2 inbox  3 lease  4 resolved  5 end of the event, under the id that its sender knows  [6 expectation]
-- ARGV  1 id of the letter  2 prefix of the wake channels
-- Returns {REPLAYED, inbox id} or {GONE | HOMELESS}

local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then
  return { 'GONE' }
end
local kept = {}
for position = 1, #letter[2], 2 do
  kept[letter[2][position]] = letter[2][position + 1]
end

local conversation, terms = kept.c, kept.x or ''
if not conversation and KEYS[6] then
  local found = redis.call('HMGET', KEYS[6], 'conversation', 'terms')
  conversation, terms = found[1], found[2] or ''
end
if not conversation then
  return { 'HOMELESS' }
end

local known = kept.o or kept.i
local fields = { 'e', kept.e, 'c', conversation, 'x', terms }
for name, value in pairs({ o = known, j = kept.j }) do
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
local id = redis.call('XADD', KEYS[2], '*', unpack(fields))
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[5])
if known then
  redis.call('HSET', KEYS[4], known, id)
end

local lease = redis.call('GET', KEYS[3])
local owner = lease and string.match(lease, '^(.*)/')
if owner then
  redis.call('PUBLISH', ARGV[2] .. owner, KEYS[2])
end
return { 'REPLAYED', id }
