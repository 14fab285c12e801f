-- Keep one call, once. Either all of it is stored, or nothing.
--
-- KEYS  1 seen  2 inbox  3 lease  4 unresolved  5 parked  6 urgent
--       [7 expectation  8 waiting], or with a lease as 9 [7 conversation  8 attempts, of a group: 9 moved  10 was]
-- ARGV  1 envelope  2 conversation or ''  3 remember for, ms  4 keep unresolved for, ms
--       5 this process's worker name  6 prefix of the wake channels  7 most events owed, most unresolved
--       8 1: a user waits for the answer  9 the lease under which its first run begins at once, or ''
-- Returns {ACCEPTED | DUPLICATE | UNRESOLVED, id} or {FULL, ''}; what this process's own worker is to do:
--         {ACCEPTED, id, id of the entry before it or '', conversation, terms}, and under that lease its snapshot

local seen = redis.call('GET', KEYS[1])
if seen then
  return { 'DUPLICATE', seen }
end

local conversation, terms = ARGV[2], ''
if conversation == '' and KEYS[7] then
  local found = redis.call('HMGET', KEYS[7], 'conversation', 'terms')
  conversation, terms = found[1] or '', found[2] or ''
end

if conversation == '' then
  if redis.call('XLEN', KEYS[4]) >= tonumber(ARGV[7]) then
    return { 'FULL', '' }
  end
  local id = redis.call('XADD', KEYS[4], '*', 'e', ARGV[1])
  redis.call('SET', KEYS[1], id, 'PX', ARGV[3])
  if KEYS[8] then
    redis.call('RPUSH', KEYS[8], id)
    redis.call('PEXPIRE', KEYS[8], ARGV[4])
  end
  return { 'UNRESOLVED', id }
end

local id, word, before
if ARGV[8] == '1' then
  id, word = redis.call('XADD', KEYS[2], '*', 'e', ARGV[1], 'c', conversation, 'x', terms, 'u', '1'), KEYS[6]
  redis.call('SADD', KEYS[6], id)
else
  local held, most = redis.call('XLEN', KEYS[2]), tonumber(ARGV[7])
  -- A parked event waits for the user and not for us.
  if held >= most and held - redis.call('ZCARD', KEYS[5]) >= most then
    return { 'FULL', '' }
  end
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  before = last and last[1] or ''
  id, word = redis.call('XADD', KEYS[2], '*', 'e', ARGV[1], 'c', conversation, 'x', terms), KEYS[2]
end
redis.call('SET', KEYS[1], id, 'PX', ARGV[3])

-- The owner of the partition learns of it at once; within one process that needs no message, and no reading.
local lease = redis.call('GET', KEYS[3])
local owner = lease and string.match(lease, '^(.*)/')
if owner == ARGV[5] and before then
  -- What belongs to a group that has become a supergroup is moved before it is read.
  if lease == ARGV[9] and not (KEYS[9] and redis.call('EXISTS', KEYS[9], KEYS[10]) > 0) then
    -- As load.lua does, which the worker then need not ask.
    redis.call('HINCRBY', KEYS[8], id, 1)
    return { 'ACCEPTED', id, before, conversation, terms, snapshot(KEYS[7]) }
  end
  return { 'ACCEPTED', id, before, conversation, terms }
end
if owner and owner ~= ARGV[5] then
  redis.call('PUBLISH', ARGV[6] .. owner, word)
end
return { 'ACCEPTED', id }
