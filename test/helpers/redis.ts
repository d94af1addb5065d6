import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import tap, { type Test } from 'tap';
import type { RedisConfig } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import type { Variables } from './environment.ts';
import { type Options, testWith } from './installed.ts';
import { freePort } from './ports.ts';
import { makePassword } from './redis-server.ts';

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
  readonly #port: number;
  #password = makePassword();
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  /** Starts one for the length of a test, or only reserves its port where it shall be down at first. */
  static async start(t: Test, { down = false } = {}): Promise<RedisServer> {
    const redis = new RedisServer(await freePort());
    t.teardown(() => redis.stop());
    if (!down) await redis.start();
    return redis;
  }

  /** What `REDIS_URL` takes. */
  get url(): string {
    return `redis://:${this.#password}@127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const options = [
      '--port',
      this.#port,
      '--bind',
      '127.0.0.1',
      '--requirepass',
      this.#password,
      '--save',
      '',
    ];
    const child = spawn('redis-server', options.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    for await (const line of createInterface(child.stdout)) {
      if (line.includes('Ready to accept connections')) break;
    }
    child.stdout.resume();
  }

  /** Ends it as a crash would: without a word to its clients. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Lets it hang: connections stay open and are even taken, and nothing is answered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
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
  async command(...[name = '', ...args]: (string | number)[]): Promise<unknown> {
    const redis = new Redis(this.url, { lazyConnect: true });
    try {
      return await redis.call(String(name), ...args);
    } finally {
      redis.disconnect();
    }
  }
}
