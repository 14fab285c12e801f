-- What a dead letter is made of, shared by the scripts that give an event up.
--
--   e envelope  c conversation  x terms  why  a runs begun  i its id in the inbox  j its journal, MessagePack

local function letter_of(entry, why, attempts, journal)
  local fields, called = {}, {}
  for position = 1, #entry[2], 2 do
    local name = entry[2][position]
    if name == 'j' then
      called = cmsgpack.unpack(entry[2][position + 1])
    -- Nobody waits for its answer any more.
    elseif name ~= 'u' then
      fields[#fields + 1] = name
      fields[#fields + 1] = entry[2][position + 1]
    end
  end
  for name, value in pairs({ why = why, a = redis.call('HGET', attempts, entry[1]) or '0', i = entry[1] }) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  for _, part in ipairs(redis.call('HGETALL', journal)) do
    called[#called + 1] = part
  end
  if #called > 0 then
    fields[#fields + 1] = 'j'
    fields[#fields + 1] = cmsgpack.pack(called)
  end
  return fields
end
