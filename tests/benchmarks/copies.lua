-- Make copies of one conversation in others of its partition, with all that its commit left beside it.
--
-- KEYS  1 the conversation  2 states  3 states until  then each copy
-- ARGV  1 what state they are in and until when, a MessagePack map of commit.lua's members
--       then for each copy, a MessagePack list: 1 its text form  2 fields that differ, and their values

local w = cmsgpack.unpack(ARGV[1])
local now_ms = time_ms()

for position = 4, #KEYS do
  local conversation, differs = unpack(cmsgpack.unpack(ARGV[position - 2]))
  redis.call('COPY', KEYS[1], KEYS[position])
  redis.call('HSET', KEYS[position], unpack(differs))
  redis.call('PEXPIRE', KEYS[position], w.ttl_ms)
  w.conversation = conversation
  list_state(KEYS[2], KEYS[3], listed(w, w.state), now_ms, w.ttl_ms)
end
return #KEYS - 3
