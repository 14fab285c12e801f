-- Put what a group's conversation held in its place under the supergroup's id. Doing it twice changes nothing.
--
-- KEYS  1 conversation  2 garbage  3 history  4 timers  5 timers of the conversation  6 states  7 states until
--       8 lease  9 inbox  10 that this parcel was unpacked
-- ARGV  1 parcel (see pack_up.lua)  2 conversation  3 its bot  4 prefix of the wake channels
--       5 how long a parcel is kept, ms
-- Returns MOVED, DONE when this parcel was unpacked before, or KEPT when the conversation has been used under this id:
-- then its state and data stay as they are

-- What came of it since, a timer that has fired say, must not come back.
if redis.call('EXISTS', KEYS[10]) == 1 then
  return 'DONE'
end
local fields, garbage, history, timers, lives_ms = unpack(cmsgpack.unpack(ARGV[1]))
local ours = redis.call('EXISTS', KEYS[1]) == 1 or redis.call('EXISTS', KEYS[3]) == 1

if ours then
  -- What delivery has shown meanwhile in the name of the group.
  for position = 1, #fields, 2 do
    if string.sub(fields[position], 1, 2) == 'v:' and redis.call('EXISTS', KEYS[1]) == 1 then
      redis.call('HSETNX', KEYS[1], fields[position], fields[position + 1])
    end
  end
else
  for first = 1, #fields, 1000 do
    redis.call('HSET', KEYS[1], unpack(fields, first, math.min(first + 999, #fields)))
  end
  for _, entry in ipairs(history) do
    redis.call('RPUSH', KEYS[3], entry)
  end
end
local state = redis.call('HGET', KEYS[1], 's')
if state and not ours then
  list_state(KEYS[6], KEYS[7], listed({ bot = ARGV[3], conversation = ARGV[2] }, state), time_ms(), lives_ms)
end
for position = 1, #garbage, 2 do
  redis.call('HSETNX', KEYS[2], garbage[position], garbage[position + 1])
end
local set = 0
for _, timer in ipairs(timers) do
  local name, bound = timer[1], cmsgpack.unpack(timer[3])[2]
  if redis.call('HEXISTS', KEYS[5], name) == 0 and (not bound or bound == (state or '')) then
    redis.call('ZADD', KEYS[4], timer[2], timer_of(ARGV[2], name))
    redis.call('HSET', KEYS[5], name, timer[3])
    set = set + 1
  end
end
for _, key in ipairs({ KEYS[1], KEYS[2], KEYS[3] }) do
  if redis.call('PTTL', key) < lives_ms then
    redis.call('PEXPIRE', key, lives_ms)
  end
end
redis.call('SET', KEYS[10], '', 'PX', ARGV[5])
local lease = set > 0 and redis.call('GET', KEYS[8])
local owner = lease and string.match(lease, '^(.*)/')
if owner then
  redis.call('PUBLISH', ARGV[4] .. owner, KEYS[9])
end
return ours and 'KEPT' or 'MOVED'
