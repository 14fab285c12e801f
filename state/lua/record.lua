-- Record what Telegram answered to one effect, and end the effect.
--
-- Not fenced by the lease: that a message exists is true, whoever sent it. The effect's own entry
-- decides: the first to record wins, a second learns that its message is one too many.
--
-- KEYS  1 outbox  2 conversation  3 garbage  4 tally  5 feed  6 history  7 moved
--       [8 where the sender looks for the answer]
-- ARGV  1 outbox id  2 what was answered, a MessagePack map (state/scripts.py names its members)
-- Returns RECORDED or GONE

local answer = cmsgpack.unpack(ARGV[2])

-- A newer view of the block is on its way: it edits the message that this one has left.
local function shown_again(block)
  for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 200)) do
    local readable, effect = pcall(cmsgpack.unpack, entry[2][4])
    readable = readable and type(effect) == 'table' and entry[2][2] == answer.conversation
    if readable and effect.kind == 'show' and effect.block == block then
      return true
    end
  end
  return false
end

if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
  return 'GONE'
end

if answer.told then
  redis.call('SET', KEYS[8], answer.told, 'PX', answer.told_ms)
end
if answer.del and #answer.del > 0 then
  redis.call('HDEL', KEYS[2], unpack(answer.del))
end
if answer.set and #answer.set > 0 then
  redis.call('HSET', KEYS[2], unpack(answer.set))
  redis.call('PEXPIRE', KEYS[2], answer.ttl_ms)
end
for what, count in pairs(answer.counts or {}) do
  redis.call('HINCRBY', KEYS[4], what, count)
end

local late, sent_ms = {}, {}
local state = redis.call('HGET', KEYS[2], 's')
-- Its state is under the supergroup's id, and so will this message be.
local is_elsewhere = not state and redis.call('EXISTS', KEYS[7]) == 1
for _, message in ipairs(answer.garbage or {}) do
  local place, block = message[1], message[4]
  if message[2] == state or is_elsewhere then
    redis.call('HSET', KEYS[3], place, cmsgpack.pack({ message[2], message[3], block }))
    redis.call('PEXPIRE', KEYS[3], answer.ttl_ms)
  elseif not (block and shown_again(block)) then
    late[#late + 1] = place
    sent_ms[place] = message[3]
    if block then
      redis.call('HDEL', KEYS[2], 'v:' .. block)
    end
  end
end
for _, message in ipairs(answer.replaced or {}) do
  late[#late + 1] = message[1]
  sent_ms[message[1]] = message[3]
  redis.call('HDEL', KEYS[3], message[1])
end
if #late > 0 then
  local effect = cmsgpack.pack({ kind = 'delete', places = late, sent_ms = sent_ms })
  redis.call('XADD', KEYS[1], '*', 'c', answer.conversation, 'e', effect)
end
write_history(KEYS[6], { time_ms(), answer.delivered }, answer.ttl_ms)

if answer.feed then
  local length, keep_ms = answer.feed[1], answer.feed[2]
  local conversation, delivered = answer.conversation, answer.delivered
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', length, '*', 'k', 'delivery', 'c', conversation, 'd', delivered)
  redis.call('PEXPIRE', KEYS[5], keep_ms)
end
return 'RECORDED'
