import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisPipe } from './redis-pipe.ts';
import {
  countsOf,
  encoderOf,
  laneOf,
  MINUTE,
  type Numbered,
  revokedBeforeOf,
  revokedOf,
  writeOf,
} from './scale-commands.ts';
import type { Drop, State } from './scale-results.ts';

const ENTRIES = [1000, 10_000, 100_000] as const;
/** Users of a minute: CometChat's quota, ten times that and a hundred times, each call another user's. */
const USERS_OF_A_MINUTE = [20_000, 200_000, 2_000_000] as const;
const AT_ONCE = 500;

interface Kind {
  readonly name: string;
  readonly commands: Numbered;
  /** The key that ends with one; undefined where the company's back end says when. */
  readonly key?: (number: number) => string;
}

const KINDS: readonly Kind[] = [
  { name: 'a lane, after a PUT', commands: writeOf, key: laneOf },
  { name: 'a user of a minute', commands: countsOf, key: () => `quota:v2:${MINUTE}` },
  { name: 'a session that was signed out, `revoked:<jti>`', commands: revokedOf },
  { name: 'a user who was signed out everywhere, `revoked-before:<sub>`', commands: revokedBeforeOf },
];

/** Fills a Redis that nobody else uses, and sees what that takes. */
export async function measureState(port: number, say: (text: string) => void): Promise<State[]> {
  const redis = new Redis(port);
  const states: State[] = [];
  for (const kind of KINDS) {
    for (const entries of ENTRIES) {
      say(`scale: ${entries} × ${kind.name}`);
      await redis.flushall('SYNC');
      const before = await usedMemory(redis);
      await fill(port, entries, kind.commands);
      const bytes = ((await usedMemory(redis)) - before) / entries;
      const keptSeconds = kind.key && Math.round((await redis.pttl(kind.key(entries - 1))) / 1000);
      states.push({ name: kind.name, entries, bytes, keptSeconds });
    }
  }
  await redis.flushall('SYNC');
  redis.disconnect();
  return states;
}

const COUNT_USERS = `
for user = 1, ARGV[1] do
  redis.call('HSET', KEYS[1], string.format('user-----0000-4000-8000-%012d', user), 1)
end`;

/** Drops the counts of minutes that are over, and reads how long Redis was at it. */
export async function measureDrops(port: number, say: (text: string) => void): Promise<Drop[]> {
  const redis = new Redis(port);
  await redis.config('SET', 'latency-monitor-threshold', 1);
  const drops: Drop[] = [];
  for (const users of USERS_OF_A_MINUTE) {
    say(`scale: the end of a minute of ${users} users`);
    await redis.eval(COUNT_USERS, 1, 'minute', users);
    await redis.call('COPY', 'minute', 'again');
    drops.push({
      users,
      ms: await dropOf(redis, 'minute', 'no'),
      lazyMs: await dropOf(redis, 'again', 'yes'),
    });
  }
  redis.disconnect();
  return drops;
}

async function dropOf(redis: Redis, key: string, isLazy: 'yes' | 'no'): Promise<number> {
  await redis.config('SET', 'lazyfree-lazy-expire', isLazy);
  await redis.call('LATENCY', 'RESET');
  await redis.pexpire(key, 1);
  // It looks for what has expired ten times a second.
  while ((await redis.dbsize()) > (isLazy === 'no' ? 1 : 0)) await wait(50);
  const events = (await redis.call('LATENCY', 'LATEST')) as [string, number, number, number][];
  return events.find(([name]) => name === 'expire-del')?.[3] ?? 0;
}

async function fill(port: number, entries: number, commands: Numbered): Promise<void> {
  const pipe = await RedisPipe.open(port);
  const encoded = encoderOf(commands);
  for (let from = 0; from < entries; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, entries - from);
    await pipe.send(Array.from({ length: count }, (_, at) => encoded(from + at)).join(''));
  }
  pipe.close();
}

/** Without what is for the connection that has filled it. */
async function usedMemory(redis: Redis): Promise<number> {
  while (Number(field(await redis.info('clients'), 'connected_clients')) > 1) await wait(10);
  return Number(field(await redis.info('memory'), 'used_memory'));
}

/** @returns one line of INFO */
export const field = (info: string, name: string): string =>
  new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
