-- Forget a parcel that was delivered, and not one that was packed since.
--
-- KEYS  1 parcel
-- ARGV  1 SHA-1 of the delivered one

local parcel = redis.call('GET', KEYS[1])
if parcel and redis.sha1hex(parcel) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
