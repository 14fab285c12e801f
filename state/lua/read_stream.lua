-- Read a service's stream for its group, if nobody else does. One reader at a time keeps each user's order.
--
-- KEYS  1 stream  2 reader  3 how far the group has come
-- ARGV  1 this reader's name  2 for how long it stays the reader, ms  3 group  4 '0': what was read and not
--       ended | '>': what is new  5 at most so many  6 where a group begins that was never there
-- Returns 'HELD', or {entries, the id of the stream's last entry}

local reader = redis.call('GET', KEYS[2])
if reader and reader ~= ARGV[1] then
  return 'HELD'
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])

local function read()
  return redis.pcall('XREADGROUP', 'GROUP', ARGV[3], 'gateway', 'COUNT', ARGV[5], 'STREAMS', KEYS[1], ARGV[4])
end

local found = read()
if found and found.err then
  if not string.find(found.err, 'NOGROUP') then
    return found
  end
  -- The group is new, or somebody has removed it or the stream: it goes on where it was.
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[3], redis.call('GET', KEYS[3]) or ARGV[6], 'MKSTREAM')
  found = read()
end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return { found and found[1][2] or {}, last and last[1] or '0-0' }
