-- Which conversations of a partition are in which state, and what brought them there.
--
-- Members of both sets are <bot> NUL <state> NUL <conversation without its bot>. The first has no scores, so that it
-- is in the order of its members: one state's are neighbours. The second has the time at which the conversation expires.

local PRUNED_AT_ONCE = 100
-- Changes, and what Telegram was brought to do for them.
local HISTORY_LENGTH = 100

local function listed(change, state)
  return change.bot .. '\0' .. state .. '\0' .. string.sub(change.conversation, #change.bot + 2)
end

local function prune_states(states, until_, now_ms)
  local over = redis.call('ZRANGEBYSCORE', until_, '-inf', now_ms, 'LIMIT', 0, PRUNED_AT_ONCE)
  if #over > 0 then
    redis.call('ZREM', states, unpack(over))
    redis.call('ZREM', until_, unpack(over))
  end
end

local function unlist_state(states, until_, member)
  redis.call('ZREM', states, member)
  redis.call('ZREM', until_, member)
end

local function list_state(states, until_, member, now_ms, ttl_ms)
  redis.call('ZADD', states, 0, member)
  redis.call('ZADD', until_, now_ms + ttl_ms, member)
  prune_states(states, until_, now_ms)
end

local function write_history(history, entry, ttl_ms)
  if redis.call('LPUSH', history, cmsgpack.pack(entry)) > HISTORY_LENGTH then
    redis.call('LTRIM', history, 0, HISTORY_LENGTH - 1)
  end
  redis.call('PEXPIRE', history, ttl_ms)
end
