import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Signer } from '../scripts/sign-session.ts';
import { freePort } from '../test/helpers/ports.ts';
import type { Children, Gateway } from './children.ts';
import { Failovers } from './failovers.ts';

/** All that the apps need, running. */
export interface House {
  readonly session: Signer;
  readonly sandbox: ChildProcess;
  readonly gateways: readonly Gateway[];
  /** Where Redis is a cluster. */
  readonly failovers?: Failovers;
}

/** Which Redis the gateways share. */
export type RedisKind = 'single' | 'cluster';

/** The limits are not what is tried here. */
const NO_LIMIT = '1000000';

/** Starts two gateways that share a Redis, one alone where there is none, and the sandbox behind them. */
export async function startHouse(children: Children, redis: RedisKind): Promise<House> {
  // Everything secret is made for this run and gone with it.
  const secret = () => randomBytes(32).toString('hex');
  const session = { secrets: [secret()], issuer: 'https://app.example', audience: 'cometchat-gateway' };
  const keys = { COMETCHAT_API_KEY: secret(), COMETCHAT_API_KEY_SECONDARY: secret() };
  const { sandbox, baseUrl } = await children.sandbox(keys);
  const environment = {
    ...keys,
    COMETCHAT_BASE_URL: baseUrl,
    COMETCHAT_CALLS_PER_MINUTE: NO_LIMIT,
    RATE_LIMIT_PER_MINUTE: NO_LIMIT,
    SESSION_SECRET: session.secrets.join(),
    SESSION_ISSUER: session.issuer,
    SESSION_AUDIENCE: session.audience,
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    SHUTDOWN_DRAIN_MS: '0',
  };
  const pair = (url: string) =>
    Promise.all(
      ['gateway 1', 'gateway 2'].map((name) => children.gateway(name, { ...environment, REDIS_URL: url })),
    );
  if (redis === 'cluster') {
    const failovers = await Failovers.start();
    return { session, sandbox, gateways: await pair(failovers.url), failovers };
  }
  const [port, password] = [await freePort(), secret()];
  if (!(await children.redis(port, password))) {
    process.stderr.write('redis-server is not installed: one gateway alone\n');
    return { session, sandbox, gateways: [await children.gateway('gateway', environment)] };
  }
  return { session, sandbox, gateways: await pair(`redis://:${password}@127.0.0.1:${port}`) };
}
