-- Begin one run of a handler: count it, and read what it may read.
--
-- An entry that has ended runs no more: its commit may have been made though its answer was lost.
--
-- KEYS  1 lease  2 attempts  3 conversation  4 inbox  5 journal  [6 rank]
-- ARGV  1 lease value  2 inbox id  3 1, or 0: its acceptance has counted it
-- Returns {LOADED, runs begun, rank or '', snapshot, journal} or {FENCED | GONE}

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { 'FENCED' }
end
if #redis.call('XRANGE', KEYS[4], ARGV[2], ARGV[2]) == 0 then
  return { 'GONE' }
end
local attempts = redis.call('HINCRBY', KEYS[2], ARGV[2], ARGV[3])
local rank = KEYS[6] and redis.call('GET', KEYS[6]) or ''
-- A first run finds no journal, so it does not look.
local journal = attempts > 1 and redis.call('HGETALL', KEYS[5]) or {}
return { 'LOADED', attempts, rank, snapshot(KEYS[3]), journal }
