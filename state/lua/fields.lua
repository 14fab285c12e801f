-- The fields of a conversation's hash, shared by the scripts that write it.
--
--   s              the state; absent when there is none
--   r              the revision, one more with each commit that changed something
--   d:<key>        one value of the FSM data, JSON, never read here
--   f:<feature>:<name>   one field of a draft, JSON, never read here
--   e:<feature>    when the draft expires, ms; absent when it does so with the conversation
--   i:<feature>    which names the draft has, so that reading or clearing it costs its own size alone
--   v:<block>      one block of the screen

local function draft_names(conversation, feature)
  local packed = redis.call('HGET', conversation, 'i:' .. feature)
  return packed and cmsgpack.unpack(packed) or {}
end

local function draft_fields(feature, names)
  local fields = {}
  for position, name in ipairs(names) do
    fields[position] = 'f:' .. feature .. ':' .. name
  end
  return fields
end

-- Lua's stack holds about 8,000 values; a large write goes in pieces.
local function in_pieces(command, key, values)
  for first = 1, #values, 1000 do
    redis.call(command, key, unpack(values, first, math.min(first + 999, #values)))
  end
end

local function clear_draft(conversation, feature)
  in_pieces('HDEL', conversation, draft_fields(feature, draft_names(conversation, feature)))
  redis.call('HDEL', conversation, 'i:' .. feature, 'd:draft:' .. feature, 'e:' .. feature)
end

-- Redis 7.0 has no expiry of a hash's field, so the deadline is a field too, and each reader looks at it.
local function has_expired(conversation, feature)
  local deadline = redis.call('HGET', conversation, 'e:' .. feature)
  return deadline and tonumber(deadline) <= time_ms()
end

local function expire_draft(conversation, feature, ttl_ms)
  if ttl_ms == 0 then
    redis.call('HDEL', conversation, 'e:' .. feature)
  else
    redis.call('HSET', conversation, 'e:' .. feature, string.format('%.0f', time_ms() + ttl_ms))
  end
end

-- Reading is use: move the deadline of a draft that is still there.
local function keep_draft(conversation, feature, ttl_ms)
  if redis.call('HEXISTS', conversation, 'i:' .. feature) == 1 and not has_expired(conversation, feature) then
    expire_draft(conversation, feature, ttl_ms)
  end
end

local function write_draft(conversation, feature, change)
  if change.clear then
    clear_draft(conversation, feature)
  end
  local names = draft_names(conversation, feature)
  local known = {}
  for _, name in ipairs(names) do
    known[name] = true
  end
  local set = change.set or {}
  local renamed = false
  local writes = {}
  for position = 1, #set, 2 do
    local name = set[position]
    writes[position] = 'f:' .. feature .. ':' .. name
    writes[position + 1] = set[position + 1]
    if not known[name] then
      known[name] = true
      names[#names + 1] = name
      renamed = true
    end
  end
  in_pieces('HSET', conversation, writes)
  if #writes > 0 then
    redis.call('HDEL', conversation, 'd:draft:' .. feature)
  end
  if change.del and #change.del > 0 then
    in_pieces('HDEL', conversation, draft_fields(feature, change.del))
    for _, name in ipairs(change.del) do
      known[name] = nil
    end
    local left = {}
    for _, name in ipairs(names) do
      if known[name] then
        left[#left + 1] = name
      end
    end
    names = left
    renamed = true
  end
  if #names == 0 then
    redis.call('HDEL', conversation, 'i:' .. feature, 'e:' .. feature)
  elseif renamed then
    redis.call('HSET', conversation, 'i:' .. feature, cmsgpack.pack(names))
  end
  if #names > 0 and change.ttl_ms then
    expire_draft(conversation, feature, change.ttl_ms)
  end
end

local function remove_data(conversation, drafts_too)
  local doomed = {}
  for _, field in ipairs(redis.call('HKEYS', conversation)) do
    local kind = string.sub(field, 1, 2)
    local of_draft = kind == 'f:' or kind == 'i:' or kind == 'e:' or string.sub(field, 1, 8) == 'd:draft:'
    if of_draft and drafts_too or kind == 'd:' and not of_draft then
      doomed[#doomed + 1] = field
    end
  end
  in_pieces('HDEL', conversation, doomed)
end

local function read_draft(conversation, feature)
  if has_expired(conversation, feature) then
    return {}
  end
  local names = draft_names(conversation, feature)
  local result = {}
  for first = 1, #names, 1000 do
    local last = math.min(first + 999, #names)
    local values = redis.call('HMGET', conversation, unpack(draft_fields(feature, { unpack(names, first, last) })))
    for position, value in ipairs(values) do
      result[#result + 1] = names[first + position - 1]
      result[#result + 1] = value
    end
  end
  return result
end
