import { pageOf } from '../helpers/docs-page.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { opaqueSessions } from '../helpers/redis.ts';
import type { RedisSentinels } from '../helpers/redis-sentinels.ts';
import { askRedis } from '../helpers/redis-server.ts';
import { bearer, ME, OTHER } from '../helpers/tokens.ts';
import { STORED, withOpaque } from './outage.ts';

const page = pageOf('redis.md');
const [base = [], ofCluster = [], ofDatabase = [], ofSentinels = []] = [
  ...page.matchAll(/^ACL SETUSER \w+ (?:(?:reset )?on ><password> )?(.*)$/gm),
].map(([, rights = '']) => rights.split(' '));

/** The rights that docs/redis.md names. */
export const RIGHTS = {
  database0: base,
  single: [...base, ...ofDatabase],
  cluster: [...base, ...ofCluster],
  sentinel: base,
  sentinels: ofSentinels,
};

/** Sends a command to a server. */
export type Ask = (...command: [string, ...(string | number)[]]) => Promise<unknown>;

/** Stores what the calls of `useAll` ask for. */
export async function storeAll(ask: Ask): Promise<void> {
  await ask(...STORED);
  await ask('SET', 'revoked:ended', 1);
}

/** Starts gateways, one for each kind of session, and lets them use all of Redis but what a used-up quota needs. */
export async function useAll(t: Parameters<typeof startGateway>[0], env: Record<string, string>, sub = ME) {
  const jwt = await startGateway(t, env);
  const opaque = await startGateway(
    t,
    { ...opaqueSessions(env.REDIS_URL ?? ''), ...env },
    { sandbox: jwt.sandbox },
  );
  return { jwt, opaque, answers: await answersOf(jwt, opaque, sub) };
}

export const ALL_USED = [200, 401, 200, 200, 200, 200];

export async function answersOf(jwt: Gateway, opaque: Gateway, sub = ME): Promise<number[]> {
  const as = (jti: string) => bearer({ sub, jti });
  const change = { add: ['a'], conversationWith: OTHER };
  const answers = [
    await withOpaque(opaque),
    await jwt.put({ tags: [] }, await as('ended')),
    ...(await Promise.all([
      jwt.put({ tags: ['b'], conversationWith: OTHER }, await as('good')),
      jwt.patch(change, await as('good')),
    ])),
    await jwt.patch({ ...change, add: ['c'] }, await as('good')),
    await opaque.get('/readyz'),
  ];
  return answers.map(({ status }) => status);
}

/** @returns what a server has refused to each user, as `ACL LOG` has it */
export async function refusedBy(ask: Ask): Promise<[user: string, what: string][]> {
  const entries = (await ask('ACL', 'LOG', 1000)) as string[][];
  return entries.map((entry) => {
    const field = (name: string) => String(entry[entry.indexOf(name) + 1]);
    return [field('username'), `${field('reason')} ${field('object')}`];
  });
}

/** Lets sentinels ask one another as a user of their own. @returns asks each as that user */
export async function guarded(redis: RedisSentinels): Promise<Ask[]> {
  for (const sentinel of redis.sentinels) {
    await redis.askSentinel(sentinel, 'ACL', 'SETUSER', 'guard', 'on', '>test', '+@all', '~*', '&*');
    await redis.askSentinel(sentinel, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', 'test');
    await redis.askSentinel(sentinel, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-user', 'guard');
  }
  const sentinels = redis.sentinels.map(
    ({ port }): Ask =>
      (...command) =>
        askRedis(`redis://guard:test@127.0.0.1:${port}`, ...command),
  );
  for (const ask of sentinels) await ask('CLIENT', 'KILL', 'USER', 'default');
  return sentinels;
}
