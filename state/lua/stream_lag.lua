-- Tell how far a service's stream has been read.
--
-- KEYS  1 stream
-- Returns its groups, each as XINFO GROUPS tells it; nothing if there is no such stream

if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
return redis.call('XINFO', 'GROUPS', KEYS[1])
