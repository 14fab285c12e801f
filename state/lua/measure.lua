-- Count what one partition owes and keeps, and find the oldest event that waits for us.
--
-- What waits for its retry or is parked does not wait for us. Only so many entries are looked at in one call;
-- the next call goes on from the id that this one returns.
--
-- KEYS  1 inbox  2 parked  3 due  4 unresolved  5 dead  6 outbox  7 tally  8 lease
-- ARGV  1 id to look from
-- Returns {now, ms; owed events; parked; waiting for a retry; unresolved; dead; owed effects;
--          messages that had to stay; time left of the lease, ms; id looked at last; 1 if that one waits for us;
--          id of the oldest effect or ''}

local from, waits = ARGV[1], 0
for _ = 1, 10 do
  local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 20)
  for _, entry in ipairs(entries) do
    from = entry[1]
    if not redis.call('ZSCORE', KEYS[2], from) and not redis.call('ZSCORE', KEYS[3], from) then
      waits = 1
      break
    end
  end
  if waits == 1 or #entries < 20 then
    break
  end
end

local now = redis.call('TIME')
local effect = redis.call('XRANGE', KEYS[6], '-', '+', 'COUNT', 1)[1]
return {
  now[1] * 1000 + math.floor(now[2] / 1000),
  redis.call('XLEN', KEYS[1]),
  redis.call('ZCARD', KEYS[2]),
  redis.call('ZCARD', KEYS[3]),
  redis.call('XLEN', KEYS[4]),
  redis.call('XLEN', KEYS[5]),
  redis.call('XLEN', KEYS[6]),
  tonumber(redis.call('HGET', KEYS[7], 'unremoved') or '0'),
  redis.call('PTTL', KEYS[8]),
  from,
  waits,
  effect and effect[1] or '',
}
