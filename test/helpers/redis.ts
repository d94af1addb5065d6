import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import tap, { type Test } from 'tap';
import type { RedisConfig } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import type { Variables } from './environment.ts';
import { type Options, testWith } from './installed.ts';
import { freePort } from './ports.ts';
import { askRedis, makePassword, RedisProcess } from './redis-server.ts';

/** A test with a Redis of its own; without `redis-server` it is skipped, unless `CI` is set. */
export const redisTest = (
  name: string,
  body: (t: Test, redis: RedisServer) => Promise<unknown>,
  options: Options = {},
): void => testWith('redis-server', name, async (t) => body(t, await RedisServer.start(t)), options);

/** Two tests of one promise: with what a replica knows alone, and with a Redis. */
export function withAndWithoutRedis(
  name: string,
  body: (t: Test, redis: RedisServer | undefined) => Promise<unknown>,
): void {
  void tap.test(`${name}, in this process`, (t) => body(t, undefined));
  redisTest(`${name}, in Redis`, body);
}

/** A gateway whose sessions are in this Redis. */
export const opaqueSessions = (url: string): Variables => ({
  SESSION_SECRET: undefined,
  SESSION_STORE: 'redis',
  REDIS_URL: url,
});

/** What the gateway makes of a `REDIS_URL`. */
export const redisAt = (url: string, sentinelPassword?: string): RedisConfig => ({
  target: { current: parseRedisUrl(url) },
  sentinelPassword: { current: sentinelPassword },
});

/** Where Redis has the session of an opaque token. */
export const sessionKey = (token: string): string =>
  `session:${createHash('sha256').update(token).digest('hex')}`;

/** A real Redis on a free port, with a password and no file, that a test can stop, freeze and start again. */
export class RedisServer {
  readonly #process: RedisProcess;
  #password = makePassword();

  private constructor(t: Test, port: number) {
    const settings = ['--port', port, '--bind', '127.0.0.1', '--save', ''];
    this.#process = new RedisProcess(t, port, () => [...settings, '--requirepass', this.#password]);
  }

  /** Starts one for the length of a test, or only reserves its port where it shall be down at first. */
  static async start(t: Test, { down = false } = {}): Promise<RedisServer> {
    const redis = new RedisServer(t, await freePort());
    if (!down) await redis.start();
    return redis;
  }

  /** What `REDIS_URL` takes. */
  get url(): string {
    return `redis://:${this.#password}@127.0.0.1:${this.#process.port}`;
  }

  start(): Promise<void> {
    return this.#process.start();
  }

  /** Ends it as a crash would: without a word to its clients. */
  stop(): Promise<void> {
    return this.#process.kill();
  }

  /** Lets it hang: connections stay open and are even taken, and nothing is answered. */
  freeze(): void {
    this.#process.freeze();
  }

  thaw(): void {
    this.#process.thaw();
  }

  /** Gives it another password, which `url` has from now on; connections stay open. */
  async changePassword(): Promise<void> {
    const password = makePassword();
    await this.command('CONFIG', 'SET', 'requirepass', password);
    this.#password = password;
  }

  /** Opens a connection for the length of a test. */
  async client(t: Test): Promise<Redis> {
    const redis = new Redis(this.url);
    t.teardown(() => redis.disconnect());
    await once(redis, 'ready');
    return redis;
  }

  /** Sends one command on a connection of its own. */
  command(...command: (string | number)[]): Promise<unknown> {
    return askRedis(this.url, ...command);
  }
}
