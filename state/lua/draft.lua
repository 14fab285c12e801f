-- Read one feature's draft, at the cost of that draft alone.
--
-- KEYS  1 conversation
-- ARGV  1 feature
-- Returns {name, value, ...}

return read_draft(KEYS[1], ARGV[1])
