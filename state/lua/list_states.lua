-- Read one page of a state's conversations, or count every state of a bot.
--
-- KEYS  1 states  2 states until
-- ARGV  1 <bot> NUL, or <bot> NUL <state> NUL for a page  2 count of the page, 0: count states
--       3 the member after which the page begins, or ''
-- Returns {member, ...} or {state, count, ...}

local now = redis.call('TIME')
prune_states(KEYS[1], KEYS[2], now[1] * 1000)

-- No byte of a member is 255, so this is behind all members that begin with the prefix.
local prefix, last = ARGV[1], '[' .. ARGV[1] .. '\255'
if ARGV[2] ~= '0' then
  local first = ARGV[3] ~= '' and '(' .. ARGV[3] or '[' .. prefix
  return redis.call('ZRANGEBYLEX', KEYS[1], first, last, 'LIMIT', 0, ARGV[2])
end

local counts, first = {}, '[' .. prefix
while true do
  local member = redis.call('ZRANGEBYLEX', KEYS[1], first, last, 'LIMIT', 0, 1)[1]
  if not member then
    return counts
  end
  local state = string.match(member, '^[^%z]*%z([^%z]*)%z')
  local all = prefix .. state .. '\0'
  counts[#counts + 1] = state
  counts[#counts + 1] = redis.call('ZLEXCOUNT', KEYS[1], '[' .. all, '[' .. all .. '\255')
  first = '(' .. all .. '\255'
end
