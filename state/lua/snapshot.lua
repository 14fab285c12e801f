-- What a handler may read of a conversation, shared by the scripts that begin and continue a run.

-- Beyond this a conversation is read by need. Its size is exact: every field is looked at, and many of
-- them are too much by themselves.
local LARGE_BYTES, MANY_FIELDS = 32768, 512

local function is_large(conversation)
  if redis.call('HLEN', conversation) > MANY_FIELDS then
    return true
  end
  local size = redis.call('MEMORY', 'USAGE', conversation, 'SAMPLES', 0)
  return size and size > LARGE_BYTES
end

-- What is neither data nor a draft: every handler gets it.
local ALWAYS = { 's', 'r', 'h', 'v:menu', 'v:content' }

local function read_fields(conversation, names)
  local fields = {}
  for first = 1, #names, 1000 do
    local values = redis.call('HMGET', conversation, unpack(names, first, math.min(first + 999, #names)))
    for position, value in ipairs(values) do
      if value then
        fields[#fields + 1] = names[first + position - 1]
        fields[#fields + 1] = value
      end
    end
  end
  return fields
end

-- {fields, now in ms, WHOLE or PART}
local function snapshot(conversation)
  if not is_large(conversation) then
    return { redis.call('HGETALL', conversation), time_ms(), 'WHOLE' }
  end
  return { read_fields(conversation, ALWAYS), time_ms(), 'PART' }
end
