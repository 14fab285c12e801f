-- Begin one run of a handler: count it, and read what it may read.
--
-- KEYS  1 lease  2 attempts  3 conversation  [4 rank]
-- ARGV  1 lease value  2 inbox id
-- Returns {LOADED, runs begun, rank or '', fields} or {FENCED}

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { 'FENCED' }
end
local attempts = redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
local rank = KEYS[4] and redis.call('GET', KEYS[4]) or ''
return { 'LOADED', attempts, rank, redis.call('HGETALL', KEYS[3]) }
