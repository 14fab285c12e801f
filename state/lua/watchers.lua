-- Tell those outside of a change of state: all who read the feed, and each subscriber whose rule it fits.

local function fits(wanted, state)
  if not wanted then
    return true
  end
  for _, one in ipairs(wanted) do
    if one == (state or '') then
      return true
    end
  end
  return false
end

-- `watch` is {length of the feed, how long it is kept, ms, {the states before, or false for any; for each
-- subscriber}, how long what a subscriber is owed is kept, ms}; `streams` are the subscribers' keys in the same
-- order. Answers to how many subscribers it was told.
local function tell_watchers(feed, streams, watch, conversation, from, to, packed)
  if watch[1] > 0 then
    redis.call('XADD', feed, 'MAXLEN', '~', watch[1], '*', 'k', 'transition', 'c', conversation, 'd', packed)
    redis.call('PEXPIRE', feed, watch[2])
  end
  local told = 0
  for position, before in ipairs(watch[3]) do
    if fits(before, from) then
      redis.call('XADD', streams[position], '*', 'c', conversation, 'd', packed)
      redis.call('PEXPIRE', streams[position], watch[4])
      told = told + 1
    end
  end
  return told
end
