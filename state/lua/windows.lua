-- Sending limits as Telegram words them: at most so many messages within so long.
--
-- A budget is a list of the times at which something went, ms, the latest first, no longer than its largest limit.
-- It expires when its longest span is over. A pause is a string, its own length in ms, that expires at its end.

-- Take up to *want* from the budget. Returns how many, how long to wait for the next in ms, and whether the budget
-- was untouched. *limits* is most, span, most, span.
local function take(budget, pause, want, limits)
  local paused = redis.call('GET', pause)
  if paused then
    local left = redis.call('PTTL', pause)
    -- More than it ever was: the clock was set back.
    if left > 0 and left <= tonumber(paused) then
      return 0, left, false
    end
    redis.call('DEL', pause)
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local last = redis.call('LINDEX', budget, 0)
  if last and tonumber(last) > now then
    redis.call('DEL', budget)
    last = nil
  end
  local taken, longest, most_of_all = 0, 0, 0
  for position = 1, #limits, 2 do
    most_of_all = math.max(most_of_all, limits[position])
    longest = math.max(longest, limits[position + 1])
  end
  local function wait()
    local ms = 0
    for position = 1, #limits, 2 do
      local earlier = redis.call('LINDEX', budget, limits[position] - 1)
      if earlier then
        ms = math.max(ms, tonumber(earlier) + limits[position + 1] - now)
      end
    end
    return ms
  end
  local ms = wait()
  while taken < want and ms <= 0 do
    redis.call('LPUSH', budget, now)
    taken = taken + 1
    ms = wait()
  end
  if taken > 0 then
    redis.call('LTRIM', budget, 0, most_of_all - 1)
    redis.call('PEXPIRE', budget, longest)
  end
  return taken, math.max(ms, 0), not last
end
