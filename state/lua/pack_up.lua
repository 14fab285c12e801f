-- Take all that a conversation holds out of its place, as one parcel that goes to the supergroup's id.
--
-- A parcel that was not delivered yet is given again: whoever packed it may have died.
--
-- KEYS  1 conversation  2 garbage  3 history  4 timers  5 timers of the conversation  6 states  7 states until
--       8 parked  9 parked of the conversation  10 parcel  11 lease  12 inbox
-- ARGV  1 conversation  2 its bot  3 its chat  4 how long a parcel is kept, ms  5 prefix of the wake channels
-- Returns the parcel, MessagePack {fields, garbage, history, timers, lives for ms}, or '' when nothing is here

local kept = redis.call('GET', KEYS[10])
if kept then
  return kept
end

-- What was shown in the group cannot be edited from the supergroup.
local fields, held = {}, redis.call('HGETALL', KEYS[1])
for position = 1, #held, 2 do
  local is_block = string.sub(held[position], 1, 2) == 'v:'
  if not (is_block and cmsgpack.unpack(held[position + 1])[1] == tonumber(ARGV[3])) then
    fields[#fields + 1] = held[position]
    fields[#fields + 1] = held[position + 1]
  end
end
local garbage = redis.call('HGETALL', KEYS[2])
for position = 1, #garbage, 2 do
  if string.sub(garbage[position], 1, #ARGV[3] + 1) == ARGV[3] .. ':' then
    local message = cmsgpack.unpack(garbage[position + 1])
    garbage[position + 1] = cmsgpack.pack({ message[1], message[2], false })
  end
end
-- A timer that has fired is an event already, and goes the way of the events.
local timers, set = {}, redis.call('HGETALL', KEYS[5])
for position = 1, #set, 2 do
  local name = set[position]
  local due = string.sub(name, 1, 1) ~= '>' and redis.call('ZSCORE', KEYS[4], timer_of(ARGV[1], name))
  if due then
    timers[#timers + 1] = { name, due, set[position + 1] }
    redis.call('ZREM', KEYS[4], timer_of(ARGV[1], name))
    redis.call('HDEL', KEYS[5], name)
  end
end
local parked = redis.call('SMEMBERS', KEYS[9])
for first = 1, #parked, 1000 do
  redis.call('ZREM', KEYS[8], unpack(parked, first, math.min(first + 999, #parked)))
end
if #parked > 0 then
  redis.call('DEL', KEYS[9])
  local lease = redis.call('GET', KEYS[11])
  local owner = lease and string.match(lease, '^(.*)/')
  if owner then
    redis.call('PUBLISH', ARGV[5] .. owner, KEYS[12])
  end
end
local history = redis.call('LRANGE', KEYS[3], 0, -1)
if #held == 0 and #garbage == 0 and #history == 0 and #timers == 0 then
  return ''
end

local state = redis.call('HGET', KEYS[1], 's')
if state then
  unlist_state(KEYS[6], KEYS[7], listed({ bot = ARGV[2], conversation = ARGV[1] }, state))
end
local lives_ms = math.max(redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[3]))
if lives_ms <= 0 then
  lives_ms = tonumber(ARGV[4])
end
local parcel = cmsgpack.pack({ fields, garbage, history, timers, lives_ms })
redis.call('SET', KEYS[10], parcel, 'PX', ARGV[4])
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return parcel
