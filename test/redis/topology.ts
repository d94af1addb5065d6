import { Cluster } from 'ioredis';
import type { Test } from 'tap';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { opaqueSessions, sessionKey } from '../helpers/redis.ts';
import type { RedisCluster } from '../helpers/redis-cluster.ts';
import type { RedisSentinels } from '../helpers/redis-sentinels.ts';
import { bearer, ME, OTHER } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

/** Opaque sessions, so many that every master of a cluster has some. */
const TOKENS = Array.from({ length: 48 }, (_, n) => `token-${n}`);

type Command = readonly [string, ...(string | number)[]];

/** Stores the sessions. @param ask sends a command to whoever has its key */
export async function storeSessions(ask: (...command: Command) => Promise<unknown>): Promise<void> {
  for (const token of TOKENS) {
    await ask('SET', sessionKey(token), JSON.stringify({ sub: ME }), 'EX', 600);
  }
}

async function answerTo(gateway: Gateway, token: string): Promise<string> {
  const bearer = { authorization: `Bearer ${token}` };
  const { status, json } = await gateway.getTags({ conversationWith: OTHER }, bearer);
  return status === 200 ? '200' : json.code;
}

/** @returns how the calls with all these sessions are answered: how many in each way */
export async function answersTo(gateway: Gateway): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const answer of await Promise.all(TOKENS.map((token) => answerTo(gateway, token)))) {
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  return counts;
}

export const ALL_SERVED = { 200: TOKENS.length };

/**
 * Lets calls be made one after the other while something happens.
 *
 * @returns how they were answered, and when the last one was that was not served, in milliseconds after `event` had ended
 */
export async function meanwhile(gateway: Gateway, event: () => Promise<unknown>) {
  const seen = new Set<string>();
  let isOver = false;
  let lastFailedAt = 0;
  const calls = (async () => {
    for (let n = 0; !isOver; n += 1) {
      const answer = await answerTo(gateway, TOKENS[n % TOKENS.length] as string);
      seen.add(answer);
      if (answer !== '200') lastFailedAt = performance.now();
    }
  })();
  await event();
  const endedAt = performance.now();
  await until('two seconds', () => performance.now() - endedAt > 2000);
  isOver = true;
  await calls;
  return { answers: [...seen].sort(), failedForMs: Math.max(0, lastFailedAt - endedAt) };
}

/** Two gateways that share a Redis. */
export async function pair(t: Test, env: Record<string, string>) {
  const one = await startGateway(t, env);
  return [one, await startGateway(t, env, { sandbox: one.sandbox })] as const;
}

/** Checks that two gateways share sessions that were ended, limits, and the order of writes. */
export async function shareAll(
  t: Test,
  env: Record<string, string>,
  ask: (...command: Command) => Promise<unknown>,
): Promise<void> {
  const [one, two] = await pair(t, {
    ...env,
    RATE_LIMIT_PER_MINUTE: '40',
    COMETCHAT_CALLS_PER_MINUTE: '1000',
  });
  const as = async (gateway: Gateway, sub: string, claims = {}) =>
    gateway.getTags({ conversationWith: OTHER }, await bearer({ sub, ...claims }));
  for (const jti of ['a', 'b', 'c', 'd']) {
    t.equal((await as(one, 'cometchat-uid-1', { jti })).status, 200);
    await ask('SET', `revoked:${jti}`, 1, 'EX', 60);
    t.match((await as(two, 'cometchat-uid-1', { jti })).json, { code: 'session-revoked' });
  }
  await ask('SET', 'revoked-before:cometchat-uid-2', Math.floor(Date.now() / 1000), 'EX', 60);
  t.match((await as(two, 'cometchat-uid-2')).json, { code: 'session-revoked' });

  const statuses: number[] = [];
  for (let n = 0; n < 41; n += 1) {
    statuses.push((await as(n % 2 === 0 ? one : two, 'cometchat-uid-5')).status);
  }
  t.strictSame([statuses.filter((status) => status === 200).length, statuses.at(-1)], [40, 429]);

  const written: string[] = [];
  one.sandbox.world.onWrite = ({ tags }) => void written.push(tags.join());
  const release = one.sandbox.hold();
  const { answer: first } = await one.underWay(() => one.put({ tags: ['first'], conversationWith: OTHER }));
  const second = two.put({ tags: ['second'], conversationWith: OTHER });
  const lane = `write:v2:{${ME}:user:${OTHER}}`;
  await until('the second write', async () => (await ask('HGET', lane, 'version')) === '2');
  release();
  t.strictSame([(await first).status, (await second).status], [200, 200]);
  t.strictSame(written, ['first', 'second'], 'one after the other');
  for (const gateway of [one, two]) {
    const failures = Object.entries(await gateway.counts()).filter(([name]) =>
      name.startsWith('redis_failures'),
    );
    t.ok(failures.length > 0 && failures.every(([, count]) => count === 0));
    t.match((await gateway.get('/readyz')).json, { redis: 'ok' });
  }
}

/** Sends commands to whichever node has their key. */
export function asking(t: Test, cluster: RedisCluster) {
  const client = new Cluster([{ host: '127.0.0.1', port: cluster.nodes[0]?.port ?? 0 }], {
    redisOptions: {
      password: cluster.password,
      ...(cluster.url.startsWith('rediss') && { tls: {} }),
    },
  });
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  return (name: string, ...args: (string | number)[]) => client.call(name, ...args);
}

/** A gateway with opaque sessions, all of which are served. */
export async function inCluster(t: Test, cluster: RedisCluster) {
  await storeSessions(asking(t, cluster));
  const gateway = await startGateway(t, opaqueSessions(cluster.url));
  t.strictSame(await answersTo(gateway), ALL_SERVED);
  return gateway;
}

/** A gateway with opaque sessions, all of which are served, and the master that has them. */
export async function behindSentinels(t: Test, redis: RedisSentinels) {
  const master = await redis.master();
  await storeSessions((...command) => redis.ask(master, ...command));
  const gateway = await startGateway(t, { ...opaqueSessions(redis.url), ...redis.environment });
  t.strictSame(await answersTo(gateway), ALL_SERVED);
  const hasMoved = async () => (await redis.master())?.port !== master.port;
  return { gateway, master, isMoved: () => until('another master', hasMoved) };
}
