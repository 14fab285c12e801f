-- The queue for turns, shared by the scripts that join and leave it.

-- Drop those at the front who have not been heard of in time; return who has its turn then.
local function pass_on(queue, deadlines, now)
  while true do
    local first = redis.call('LINDEX', queue, 0)
    if not first then
      return false
    end
    local deadline = redis.call('ZSCORE', deadlines, first)
    if deadline and tonumber(deadline) > now then
      return first
    end
    redis.call('LPOP', queue)
    redis.call('ZREM', deadlines, first)
  end
end
