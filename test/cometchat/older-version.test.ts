import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Test } from 'tap';
import { SUPERSEDED } from '../../src/cometchat/outcome.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { leasesAt } from './leases-of.ts';

// While replicas are replaced one by one, some are of an older version. They share one Redis. The oldest is 1.0.0, which knows no
// merges; those of 1.1.0 run the scripts of today.

const NEVER = new AbortController().signal;

/** What version 1.0.0 runs in Redis for a write: that is told by all its replicas to be the newest when it first asks. */
const ACQUIRE_1_0_0 = `
local id, holder, version, age, leaseMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local newest = redis.call('HMGET', KEYS[1], 'version', 'id', 'at')
local current = tonumber(newest[1] or 0)
if newest[2] ~= id then
  if version and version < current then return {version, 'superseded'} end
  local time = redis.call('TIME')
  local came = time[1] * 1000 + math.floor(time[2] / 1000) - age
  if age > 0 and tonumber(newest[3] or 0) > came then return {current, 'superseded'} end
  current = current + 1
  redis.call('HSET', KEYS[1], 'version', current, 'id', id, 'at', came)
  redis.call('PEXPIRE', KEYS[1], 120000)
end
local other = redis.call('GET', KEYS[2])
if leaseMs == '0' or (other and other ~= holder) then return {current, 'wait'} end
redis.call('SET', KEYS[2], holder, 'PX', leaseMs)
return {current, 'held'}`;

/** A write of version 1.0.0. */
class OlderWrite {
  readonly #redis: Redis;
  readonly #id = randomUUID();
  #version: number | '' = '';

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async ask(leaseMs: number): Promise<string> {
    const keys = ['write:v2:{lane}', 'write:v2:{lane}:lease'];
    const age = this.#version === '' ? 0 : 1;
    const args = [this.#id, this.#id, this.#version, age, leaseMs];
    const [version, state] = (await this.#redis.eval(ACQUIRE_1_0_0, 2, ...keys, ...args)) as [number, string];
    this.#version = version;
    return state;
  }

  async release(): Promise<void> {
    await this.#redis.del('write:v2:{lane}:lease');
  }
}

async function replicas(t: Test, server: RedisServer) {
  const { redis, lease } = await leasesAt(t, server);
  return { older: () => new OlderWrite(redis), lease };
}

redisTest('a write of version 1.0.0 keeps ours waiting, and ours keep it', async (t, server) => {
  const { older, lease } = await replicas(t, server);
  for (const kind of ['replace', 'merge'] as const) {
    const [theirs, ours] = [older(), lease(kind)];
    t.equal(await theirs.ask(1500), 'held');
    const acquired = ours.acquire(NEVER);
    await theirs.release();
    t.equal(await acquired, undefined, kind);
    t.equal(await older().ask(1500), 'wait');
    ours.end();
  }
});

redisTest('a newer write of version 1.0.0 supersedes ours', async (t, server) => {
  const { older, lease } = await replicas(t, server);
  for (const kind of ['replace', 'merge'] as const) {
    const ours = lease(kind);
    ours.register();
    await older().ask(0);
    t.equal(await ours.acquire(NEVER), SUPERSEDED, kind);
  }
});

redisTest('it is superseded by our replace, and not by our merge', async (t, server) => {
  const { older, lease } = await replicas(t, server);
  const theirs = older();
  await theirs.ask(0);
  lease('merge').register();
  t.equal(await theirs.ask(1500), 'held');
  await theirs.release();
  lease('replace').register();
  t.equal(await theirs.ask(1500), 'superseded');
});

redisTest(
  'what a replace of ours has left behind does not hold up a merge beside theirs',
  async (t, server) => {
    const { older, lease } = await replicas(t, server);
    const ours = lease('replace');
    ours.register();
    const theirs = older();
    t.equal(await theirs.ask(1500), 'held');
    ours.end();
    await theirs.release();
    const start = performance.now();
    t.equal(await lease('merge').acquire(NEVER), undefined);
    t.ok(performance.now() - start < 10_000, 'long before the deadline of that replace');
  },
);
