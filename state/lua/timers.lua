-- The timers of a partition, shared by the scripts that set, cancel and fire them.
--
--   timers zset    <conversation> <name> -> when it is due, ms
--   timers of a conversation, a hash
--     <name>       {event, the state that it is bound to or false}
--     ><inbox id>  {name, bound}: it has fired, and its event has not ended yet

local function timer_of(conversation, name)
  return conversation .. ' ' .. name
end

-- *places*: inbox, attempts, due, parked, parked of the conversation.
local function drop_event(places, id)
  redis.call('XDEL', places[1], id)
  redis.call('HDEL', places[2], id)
  redis.call('ZREM', places[3], id)
  redis.call('ZREM', places[4], id)
  redis.call('SREM', places[5], id)
end

-- A timer that has fired is cancelled too, as long as its event has not ended.
local function cancel_timer(timers, of_conversation, places, conversation, name)
  redis.call('ZREM', timers, timer_of(conversation, name))
  if redis.call('HDEL', of_conversation, name) == 1 then
    return
  end
  local held = redis.call('HGETALL', of_conversation)
  for position = 1, #held, 2 do
    if string.sub(held[position], 1, 1) == '>' and cmsgpack.unpack(held[position + 1])[1] == name then
      drop_event(places, string.sub(held[position], 2))
      redis.call('HDEL', of_conversation, held[position])
    end
  end
end

local function cancel_timers_left_behind(timers, of_conversation, places, conversation, state)
  local held = redis.call('HGETALL', of_conversation)
  for position = 1, #held, 2 do
    local field, timer = held[position], cmsgpack.unpack(held[position + 1])
    local bound = timer[2]
    if bound and bound ~= (state or '') then
      if string.sub(field, 1, 1) == '>' then
        drop_event(places, string.sub(field, 2))
      else
        redis.call('ZREM', timers, timer_of(conversation, field))
      end
      redis.call('HDEL', of_conversation, field)
    end
  end
end
