-- Begin one effect in its chat: does the chat take it, is it its turn, and where does its block stand?
--
-- KEYS  1 conversation  2 budget of the chat  3 pause of the chat  4 closed  5 moved
-- ARGV  1 the block's field, or ''  2 1: it counts as a send, 0: it does not  3 limits: most, span in ms, and so on,
--         MessagePack  4 1: the user has just been there, so the chat is open
-- Returns {CLOSED, why} or {WAIT, ms, 1 if Telegram has said so} or {OPEN, 1 if nothing was sent to the chat lately, the block or '', the chat's
--         new id or ''}

if ARGV[4] == '1' then
  redis.call('DEL', KEYS[4])
end
local why = redis.call('GET', KEYS[4])
if why then
  return { 'CLOSED', why }
end
local want = tonumber(ARGV[2])
local taken, wait_ms, quiet = take(KEYS[2], KEYS[3], want, cmsgpack.unpack(ARGV[3]))
local paused = redis.call('EXISTS', KEYS[3])
if taken < want or paused == 1 then
  return { 'WAIT', wait_ms, paused }
end
local shown = ARGV[1] ~= '' and redis.call('HGET', KEYS[1], ARGV[1])
return { 'OPEN', quiet and 1 or 0, shown or '', redis.call('GET', KEYS[5]) or '' }
