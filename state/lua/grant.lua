-- Grant sends of one bot, to whichever process asks.
--
-- KEYS  1 budget  2 pause
-- ARGV  1 how many are wanted  2 limits: most, span in ms, and so on, MessagePack
-- Returns {granted, how long to wait for the next, ms}

local granted, wait_ms = take(KEYS[1], KEYS[2], tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2]))
return { granted, wait_ms }
