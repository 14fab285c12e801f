-- Begin one effect in its chat: is it its turn, and where does its block stand?
--
-- KEYS  1 conversation  2 budget of the chat  3 pause of the chat
-- ARGV  1 the block's field, or ''  2 1: it counts as a send, 0: it does not  3 limits: most, span in ms, and so on,
--         MessagePack
-- Returns {WAIT, ms} or {OPEN, 1 if nothing was sent to the chat lately, the block or ''}

local want = tonumber(ARGV[2])
local taken, wait_ms, quiet = take(KEYS[2], KEYS[3], want, cmsgpack.unpack(ARGV[3]))
if taken < want or (want == 0 and redis.call('EXISTS', KEYS[3]) == 1) then
  return { 'WAIT', wait_ms }
end
return { 'OPEN', quiet and 1 or 0, ARGV[1] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) or '' }
