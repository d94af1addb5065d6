/** Longer than any deadline. */
const KEPT_MS = 120_000;

// What the replicas know of a lane: a hash with the version and id of its newest replace and when that came (`at`), and beside it the
// id of the write that holds the lease. A replace is the newest when it is registered, for the first time. It may be sent `until` its
// deadline; `of` is its id, since version 1.0.0 does not say. A merge takes note of the newest replace (`seen`), waits until that
// is over, and gives way to one that comes later. A write that could not be registered when it came, or whose version Redis has
// lost, gives way to any replace that came later.

/** KEYS: the lane, its lease. @returns version and id of the newest replace, and the state */
export const ACQUIRE = `
local kind, seen, holder, version, age = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local left, leaseMs = ARGV[6], ARGV[7]
local newest = redis.call('HMGET', KEYS[1], 'version', 'id', 'at', 'until', 'of')
local current, id = tonumber(newest[1] or 0), newest[2] or ''
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if id ~= seen then
  if version and version < current then return {0, '', 'superseded'} end
  if age ~= '0' and tonumber(newest[3] or 0) > now - age then return {0, '', 'superseded'} end
  if kind == 'replace' then
    current, id = current + 1, seen
    redis.call('HSET', KEYS[1], 'version', current, 'id', id, 'at', now - age)
    redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
  end
end
if kind == 'replace' then redis.call('HSET', KEYS[1], 'until', now + left, 'of', id)
elseif newest[5] == id and tonumber(newest[4] or 0) > now then return {current, id, 'wait'} end
local other = redis.call('GET', KEYS[2])
if leaseMs == '0' or (other and other ~= holder) then return {current, id, 'wait'} end
redis.call('SET', KEYS[2], holder, 'PX', leaseMs)
return {current, id, other and 'held' or 'granted'}`;

/** ARGV: the holder; the id of the write that is over, if it is. */
export const RELEASE = `
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
if redis.call('HGET', KEYS[1], 'id') == ARGV[2] then redis.call('HDEL', KEYS[1], 'until') end`;
