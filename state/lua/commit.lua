-- Make one change of one conversation, whole or not at all.
--
-- KEYS  of the partition: 1 lease  2 inbox  3 attempts  4 due  5 outbox  6 unresolved  7 parked  8 timers
--         9 states  10 states until  11 feed  12 resolved  13 overdue
--       of the conversation: 14 itself  15 garbage  16 parked  17 timers  18 history  19 turns
--         20 moved, of a group that a handler ran for; otherwise 14 again
--       of the event: 21 journal  22 rank  23 its end  24 made once
--       then, for each expectation: its key, its waiting list; then the streams of the subscribers concerned
-- ARGV  1 the change, a MessagePack map (state/changes.py names its members)
-- Returns {COMMITTED, revision, effects added, events resolved, parked events to look at again, what was asked for,
--          timers set, now in ms, subscribers told}
--      or {FENCED | GONE | CONFLICT | STALE}

local w = cmsgpack.unpack(ARGV[1])
local lease, inbox, attempts, due, outbox, unresolved, parked, timers,
  states, states_until, feed, resolved, overdue = unpack(KEYS, 1, 13)
local conversation, garbage, parked_here, timers_here, history, turns, moved = unpack(KEYS, 14, 20)
local journal, rank, ended, made = unpack(KEYS, 21, 24)
local places = { inbox, attempts, due, parked, parked_here }

if w.lease and redis.call('GET', lease) ~= w.lease then
  return { 'FENCED' }
end
if w.entry and #redis.call('XRANGE', inbox, w.entry, w.entry) == 0 then
  return { 'GONE' }
end
-- The group has become a supergroup while the handler ran: what it writes belongs there.
if moved ~= conversation and redis.call('EXISTS', moved) == 1 then
  return { 'CONFLICT' }
end
local held = redis.call('HMGET', conversation, 'r', 's')
local revision, from = tonumber(held[1] or '0'), held[2]
local now_ms = time_ms()

local function wanted()
  if w.want == 'data' then
    return redis.call('HGETALL', conversation)
  elseif w.want then
    return read_draft(conversation, w.want.draft)
  end
  return {}
end

-- A client that lost the answer asks again; what it asked for has been done.
if w.once and redis.call('EXISTS', made) == 1 then
  return { 'COMMITTED', revision, 0, 0, {}, wanted(), 0, now_ms, 0 }
end
if w.turn and redis.call('LINDEX', turns, 0) ~= w.turn then
  return { 'FENCED' }
end
for feature in pairs(w.drafts or {}) do
  if has_expired(conversation, feature) then
    clear_draft(conversation, feature)
  end
end
for field, expected in pairs(w.when or {}) do
  if redis.call('HGET', conversation, field) ~= expected then
    return { 'CONFLICT' }
  end
end
if w.basis and w.basis ~= revision then
  return { 'CONFLICT' }
end
if w.rank then
  local reached = tonumber(redis.call('GET', rank) or '')
  if reached and (reached > w.rank or reached == w.rank and not w.again) then
    return { 'STALE' }
  end
  redis.call('SET', rank, w.rank, 'PX', w.rank_ms)
end

if w.once then
  redis.call('SET', made, '', 'PX', w.once)
end

local changed = false

if w.replace then
  remove_data(conversation, w.replace == 'all')
  changed = true
end
for feature, change in pairs(w.drafts or {}) do
  write_draft(conversation, feature, change)
  changed = true
end
for feature, ttl_ms in pairs(w.touch or {}) do
  keep_draft(conversation, feature, ttl_ms)
end
if w.del and #w.del > 0 then
  in_pieces('HDEL', conversation, w.del)
  changed = true
end
if w.set and #w.set > 0 then
  in_pieces('HSET', conversation, w.set)
  changed = true
end

if w.entry then
  if redis.call('ZREM', parked, w.entry) == 1 then
    redis.call('SREM', parked_here, w.entry)
  end
  redis.call('HDEL', timers_here, '>' .. w.entry)
end

local left_behind, sent_ms, unparked = {}, {}, {}
local to = from
if w.state ~= nil and w.state ~= from then
  to = w.state
  if to then
    redis.call('HSET', conversation, 's', to)
  else
    redis.call('HDEL', conversation, 's')
  end
  changed = true
  local tracked, untracked = redis.call('HGETALL', garbage), {}
  for position = 1, #tracked, 2 do
    local place, message = tracked[position], cmsgpack.unpack(tracked[position + 1])
    local block = message[3]
    if message[1] ~= w.state then
      untracked[#untracked + 1] = place
      -- A block that the same change shows anew is edited, not deleted.
      if not (block and w.shows and w.shows[block]) then
        left_behind[#left_behind + 1] = place
        sent_ms[place] = message[2]
        if block then
          redis.call('HDEL', conversation, 'v:' .. block)
        end
      end
    end
  end
  in_pieces('HDEL', garbage, untracked)
  cancel_timers_left_behind(timers, timers_here, places, w.conversation, w.state)
  unparked = redis.call('SMEMBERS', parked_here)
  in_pieces('ZREM', parked, unparked)
  redis.call('DEL', parked_here)
end

for _, message in ipairs(w.garbage or {}) do
  redis.call('HSET', garbage, message[1], cmsgpack.pack({ message[2], message[3], message[4] }))
  redis.call('PEXPIRE', garbage, w.ttl_ms)
end

for _, name in ipairs(w.cancel or {}) do
  cancel_timer(timers, timers_here, places, w.conversation, name)
end
local timers_set = 0
for _, timer in ipairs(w.timers or {}) do
  local name, bound = timer[1], timer[4] and (to or '')
  cancel_timer(timers, timers_here, places, w.conversation, name)
  redis.call('ZADD', timers, timer[2], timer_of(w.conversation, name))
  redis.call('HSET', timers_here, name, cmsgpack.pack({ timer[3], bound }))
  timers_set = timers_set + 1
end

if w.forget then
  redis.call('DEL', conversation, history)
  changed, to = false, false
end

-- An event that changed nothing has used the conversation too.
local used = (changed or w.entry) and not w.forget
if from and from ~= to then
  unlist_state(states, states_until, listed(w, from))
end
if to and used then
  list_state(states, states_until, listed(w, to), now_ms, w.ttl_ms)
end

if changed then
  revision = next_revision(conversation, revision)
  local count = redis.call('HLEN', conversation)
  index_drafts(conversation, count)
  -- Nothing is left but the revision, and the index of nothing.
  if count == 1 or count == 2 and is_indexed(conversation) then
    redis.call('DEL', conversation)
  end
end
if used then
  redis.call('PEXPIRE', conversation, w.ttl_ms)
  redis.call('PEXPIRE', garbage, w.ttl_ms)
end

if w.cause and not w.forget and (changed or w.effects) then
  write_history(history, { now_ms, from, to, revision, w.cause }, w.ttl_ms)
elseif used then
  redis.call('PEXPIRE', history, w.ttl_ms)
end

local told = 0
if w.watch and (from or '') ~= (to or '') then
  local first = 25 + 2 * #(w.expectations or {})
  local packed = cmsgpack.pack({ now_ms, from, to, revision, w.cause or false })
  told = tell_watchers(feed, { unpack(KEYS, first) }, w.watch, w.conversation, from, to, packed)
end

local effects = 0
for _, effect in ipairs(w.effects or {}) do
  redis.call('XADD', outbox, '*', 'c', w.conversation, 'e', effect)
  effects = effects + 1
end
if #left_behind > 0 then
  local effect = cmsgpack.pack({ kind = 'delete', places = left_behind, sent_ms = sent_ms })
  redis.call('XADD', outbox, '*', 'c', w.conversation, 'e', effect)
  effects = effects + 1
end

local resolved_now = 0
for position, expectation in ipairs(w.expectations or {}) do
  local key, waiting = KEYS[23 + 2 * position], KEYS[24 + 2 * position]
  redis.call('HSET', key, 'conversation', w.conversation, 'terms', expectation.terms)
  redis.call('PEXPIRE', key, expectation.ttl_ms)
  if expectation.ask then
    redis.call('ZADD', overdue, now_ms + expectation.ask_after_ms, expectation.ask)
    -- As long as the one that lives longest, though nobody ever asks.
    redis.call('PEXPIRE', overdue, expectation.ttl_ms, 'NX')
    redis.call('PEXPIRE', overdue, expectation.ttl_ms, 'GT')
  end
  for _, id in ipairs(redis.call('LRANGE', waiting, 0, -1)) do
    local kept = redis.call('XRANGE', unresolved, id, id)[1]
    if kept then
      -- Whoever sent it knows it by the id that it had until now.
      local fields = { 'e', kept[2][2], 'c', w.conversation, 'x', expectation.terms, 'o', id }
      redis.call('HSET', resolved, id, redis.call('XADD', inbox, '*', unpack(fields)))
      redis.call('XDEL', unresolved, id)
      resolved_now = resolved_now + 1
    end
  end
  redis.call('DEL', waiting)
end

if w.ended then
  redis.call('ZREM', overdue, w.ended)
end

if w.entry then
  redis.call('XDEL', inbox, w.entry)
  redis.call('HDEL', attempts, w.entry)
  redis.call('ZREM', due, w.entry)
  redis.call('DEL', journal)
  if w.first then
    redis.call('HDEL', resolved, w.first)
  end
  if w.told then
    local how = { 'applied', now_ms, '', w.conversation, from, to, revision, w.cause }
    redis.call('SET', ended, cmsgpack.pack(how), 'PX', w.told)
  end
end

-- A change made outside of the partition's worker leaves it work, so it is told.
if not w.lease and effects + resolved_now + #unparked + timers_set + told > 0 then
  local held_by = redis.call('GET', lease)
  local owner = held_by and string.match(held_by, '^(.*)/')
  if owner then
    redis.call('PUBLISH', w.wake .. owner, inbox)
  end
end

return { 'COMMITTED', revision, effects, resolved_now, unparked, wanted(), timers_set, now_ms, told }
