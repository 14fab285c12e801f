-- Read one feature's draft, at the cost of that draft alone.
--
-- KEYS  1 conversation
-- ARGV  1 feature  2 how long it lives after this use, ms, or ''
-- Returns {name, value, ...}

if ARGV[2] ~= '' then
  keep_draft(KEYS[1], ARGV[1], tonumber(ARGV[2]))
end
return read_draft(KEYS[1], ARGV[1])
