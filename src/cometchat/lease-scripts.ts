/** Longer than any deadline. */
const KEPT_MS = 120_000;

/** A merge that waits asks more often, and so keeps its place before the merges of other replicas. */
const PLACE_MS = 500;

// What the replicas know of a lane: a hash with the version and id of its newest replace and when that came (`at`); beside it the id of
// the write that holds the lease, and that of the merge that gets it next. A replace is the newest when it is registered, for the
// first time. It may be sent `until` its deadline; `of` is its id, since version 1.0.0 does not say, and `late` is 1 where it could
// not be registered when it came. A merge takes note of the newest replace (`seen`), waits until that is over, and gives way to
// one that comes later. A write that could not be registered when it came, or whose version Redis has lost, gives way to any
// replace that came later. No write gives way to one that came to its own replica `before`.

/** KEYS: the lane, its lease, its next merge. @returns version and id of the newest replace, and the state */
export const ACQUIRE = `
local kind, seen, holder, version, age = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local left, leaseMs, before = ARGV[6], ARGV[7], ARGV[8]
local newest = redis.call('HMGET', KEYS[1], 'version', 'id', 'at', 'until', 'of', 'late')
local current, id = tonumber(newest[1] or 0), newest[2] or ''
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if id ~= seen then
  local isLater = tonumber(newest[3] or 0) > now - age
  local isOrdered = kind == 'replace' or newest[5] ~= id or newest[6] == '0'
  local isSuperseded = version and version < current and (isOrdered or isLater) or age ~= '0' and isLater
  if isSuperseded and not string.find(before, id, 1, true) then return {0, '', 'superseded'} end
  if kind == 'replace' then
    current, id = current + 1, seen
    local late = age == '0' and 0 or 1
    redis.call('HSET', KEYS[1], 'version', current, 'id', id, 'at', now - age, 'late', late)
    redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
  end
end
if kind == 'replace' then redis.call('HSET', KEYS[1], 'until', now + left, 'of', id)
elseif newest[5] == id and tonumber(newest[4] or 0) > now then return {current, id, 'wait'} end
local other = redis.call('GET', KEYS[2])
if leaseMs == '0' then return {current, id, 'wait'} end
if kind == 'merge' and other ~= holder then
  local following = redis.call('GET', KEYS[3])
  if following and following ~= holder then return {current, id, 'wait'} end
  if other then redis.call('SET', KEYS[3], holder, 'PX', ${PLACE_MS})
  elseif following then redis.call('DEL', KEYS[3]) end
end
if other and other ~= holder then return {current, id, 'wait'} end
redis.call('SET', KEYS[2], holder, 'PX', leaseMs)
return {current, id, other and 'held' or 'granted'}`;

/** ARGV: the holder; the id of the write that is over, if it is. */
export const RELEASE = `
for key = 2, 3 do
  if redis.call('GET', KEYS[key]) == ARGV[1] then redis.call('DEL', KEYS[key]) end
end
if redis.call('HGET', KEYS[1], 'id') == ARGV[2] then redis.call('HDEL', KEYS[1], 'until') end`;
