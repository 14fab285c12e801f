-- Take the lease of a partition that nobody holds.
--
-- KEYS  1 lease  2 fence
-- ARGV  1 worker  2 lease time, ms
-- Returns the lease's value, <worker>/<fencing token>, or false when another worker holds it

if redis.call('EXISTS', KEYS[1]) == 1 then
  return false
end
local value = ARGV[1] .. '/' .. redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return value
