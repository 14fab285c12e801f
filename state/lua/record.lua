-- Record what Telegram answered to one effect, and end the effect.
--
-- Not fenced by the lease: that a message exists is true, whoever sent it. The effect's own entry
-- decides: the first to record wins, a second learns that its message is one too many.
--
-- KEYS  1 outbox  2 conversation  3 garbage
-- ARGV  1 outbox id  2 what was answered, a MessagePack map (state/scripts.py names its members)
-- Returns RECORDED or GONE

if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
  return 'GONE'
end
local answer = cmsgpack.unpack(ARGV[2])

if answer.del and #answer.del > 0 then
  redis.call('HDEL', KEYS[2], unpack(answer.del))
end
if answer.set and #answer.set > 0 then
  redis.call('HSET', KEYS[2], unpack(answer.set))
  redis.call('PEXPIRE', KEYS[2], answer.ttl_ms)
end

local late = {}
local state = redis.call('HGET', KEYS[2], 's')
for _, message in ipairs(answer.garbage or {}) do
  if message[2] == state then
    redis.call('HSET', KEYS[3], message[1], cmsgpack.pack({ message[2], message[3] }))
    redis.call('PEXPIRE', KEYS[3], answer.ttl_ms)
  else
    late[#late + 1] = message[1]
  end
end
if #late > 0 then
  local effect = cmsgpack.pack({ kind = 'delete', places = late })
  redis.call('XADD', KEYS[1], '*', 'c', answer.conversation, 'e', effect)
end
return 'RECORDED'
