-- The fields of a conversation's hash, shared by the scripts that write it.
--
--   s              the state; absent when there is none
--   r              the revision, more with each commit that changed something; the first is the time, µs
--   d:<key>        one value of the FSM data, JSON, never read here
--   f:<feature>:<name>   one field of a draft, JSON, never read here
--   e:<feature>    when the draft expires, ms; absent when it does so with the conversation
--   i, i:<feature>    in a conversation of many fields only: that it has an index, and which names the draft has, so
--                  that reading or clearing a draft costs its own size alone
--   v:<block>      one block of the screen

-- A conversation that ended and began anew must not come to a revision that it had before, so it begins with
-- the time: each change takes longer than a microsecond.
local function next_revision(conversation, revision)
  if revision > 0 then
    return redis.call('HINCRBY', conversation, 'r', 1)
  end
  local time = redis.call('TIME')
  local now_us = time[1] * 1000000 + time[2]
  redis.call('HSET', conversation, 'r', string.format('%.0f', now_us))
  return now_us
end

-- Below this, looking through all fields costs less than an index would take of the memory.
local INDEXED_BEYOND = 64

local function is_indexed(conversation)
  return redis.call('HEXISTS', conversation, 'i') == 1
end

local function draft_names(conversation, feature)
  if is_indexed(conversation) then
    local packed = redis.call('HGET', conversation, 'i:' .. feature)
    return packed and cmsgpack.unpack(packed) or {}
  end
  local prefix, names = 'f:' .. feature .. ':', {}
  for _, field in ipairs(redis.call('HKEYS', conversation)) do
    if string.sub(field, 1, #prefix) == prefix then
      names[#names + 1] = string.sub(field, #prefix + 1)
    end
  end
  return names
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
  if #draft_names(conversation, feature) > 0 and not has_expired(conversation, feature) then
    expire_draft(conversation, feature, ttl_ms)
  end
end

local function index_draft(conversation, feature, names)
  if #names == 0 then
    redis.call('HDEL', conversation, 'i:' .. feature)
  else
    redis.call('HSET', conversation, 'i:' .. feature, cmsgpack.pack(names))
  end
end

-- Once, when a conversation has come to many fields.
local function index_drafts(conversation, count)
  if count <= INDEXED_BEYOND or is_indexed(conversation) then
    return
  end
  local drafts = {}
  for _, field in ipairs(redis.call('HKEYS', conversation)) do
    local feature, name = string.match(field, '^f:([^:]*):(.*)$')
    if feature then
      drafts[feature] = drafts[feature] or {}
      table.insert(drafts[feature], name)
    end
  end
  for feature, names in pairs(drafts) do
    index_draft(conversation, feature, names)
  end
  redis.call('HSET', conversation, 'i', '')
end

local function update_index(conversation, feature, set, deleted)
  local names, gone, known, left, added = draft_names(conversation, feature), {}, {}, {}, false
  for _, name in ipairs(deleted) do
    gone[name] = true
  end
  for _, name in ipairs(names) do
    known[name] = true
    if not gone[name] then
      left[#left + 1] = name
    end
  end
  for position = 1, #set, 2 do
    local name = set[position]
    if not known[name] and not gone[name] then
      known[name] = true
      left[#left + 1] = name
      added = true
    end
  end
  if added or #left < #names then
    index_draft(conversation, feature, left)
  end
end

local function write_draft(conversation, feature, change)
  if change.clear then
    clear_draft(conversation, feature)
  end
  local set, deleted, writes = change.set or {}, change.del or {}, {}
  for position = 1, #set, 2 do
    writes[position] = 'f:' .. feature .. ':' .. set[position]
    writes[position + 1] = set[position + 1]
  end
  in_pieces('HSET', conversation, writes)
  if #writes > 0 then
    redis.call('HDEL', conversation, 'd:draft:' .. feature)
  end
  in_pieces('HDEL', conversation, draft_fields(feature, deleted))
  if is_indexed(conversation) then
    update_index(conversation, feature, set, deleted)
  end
  if change.ttl_ms and (#set > 0 or #draft_names(conversation, feature) > 0) then
    expire_draft(conversation, feature, change.ttl_ms)
  end
  if #deleted > 0 and #draft_names(conversation, feature) == 0 then
    redis.call('HDEL', conversation, 'e:' .. feature)
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
