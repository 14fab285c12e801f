-- Record what came of one call that a handler made, for the handler's next run.
--
-- Not fenced by the lease: that a message exists is true, whoever sent it. It goes with its entry.
--
-- KEYS  1 inbox  2 journal
-- ARGV  1 inbox id  2 the call  3 what came of it  4 keep for, ms
-- Returns 1, or 0 when the entry has ended

if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
