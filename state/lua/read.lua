-- Read a conversation whole if it is small, or what is asked for of it.
--
-- KEYS  1 conversation
-- ARGV  1 ALL: the whole conversation | NEED: what follows | START: as a handler's first look
--       then, for NEED, features each marked 'f', fields each marked '=', and ~<ms>:<feature> for a draft that
--       lives so long after this use
-- Returns {fields, now in ms, WHOLE or PART}

if ARGV[1] == 'ALL' then
  return { redis.call('HGETALL', KEYS[1]), time_ms(), 'WHOLE' }
end
if ARGV[1] == 'START' then
  return snapshot(KEYS[1])
end
local names = { unpack(ALWAYS) }
for position = 2, #ARGV do
  local kind, name = string.sub(ARGV[position], 1, 1), string.sub(ARGV[position], 2)
  if kind == 'f' then
    names[#names + 1] = 'e:' .. name
    names[#names + 1] = 'd:draft:' .. name
    for _, field in ipairs(draft_fields(name, draft_names(KEYS[1], name))) do
      names[#names + 1] = field
    end
  elseif kind == '=' then
    names[#names + 1] = name
  end
end
local result = { read_fields(KEYS[1], names), time_ms(), 'PART' }
for position = 2, #ARGV do
  local ttl_ms, feature = string.match(ARGV[position], '^~(%d+):(.*)$')
  if ttl_ms then
    keep_draft(KEYS[1], feature, tonumber(ttl_ms))
  end
end
return result
