import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../sandbox/certificates.ts';
import { freePort } from './ports.ts';
import { askRedis, listenOn, makePassword, type Owner, RedisProcess } from './redis-server.ts';
import { until } from './until.ts';

const MASTER = 'tags';
const SENTINELS = 3;

/** Real servers of which sentinels make one the master, with a password for each kind. */
export class RedisSentinels {
  password: string;
  sentinelPassword: string;
  readonly servers: readonly RedisProcess[];
  readonly sentinels: readonly RedisProcess[];

  readonly #scheme: string;

  private constructor(
    scheme: string,
    parts: Pick<RedisSentinels, 'password' | 'sentinelPassword' | 'servers' | 'sentinels'>,
  ) {
    this.#scheme = scheme;
    ({
      password: this.password,
      sentinelPassword: this.sentinelPassword,
      servers: this.servers,
      sentinels: this.sentinels,
    } = parts);
  }

  /** @param options `downAfterMs`: when a master that does not answer counts as dead; `certificate`: of TLS, which this process must trust */
  static async start(
    t: Owner,
    { downAfterMs = 300, certificate = undefined as Certificate | undefined } = {},
  ): Promise<RedisSentinels> {
    const dir = t.testdir({});
    const [password, sentinelPassword] = [makePassword(), makePassword()];
    const [first, second, ...others] = await Promise.all(
      Array.from({ length: 2 + SENTINELS }, () => freePort()),
    );
    const server = (port = 0, ...args: (string | number)[]) =>
      new RedisProcess(t, port, () => [
        ...listenOn(dir, port, certificate).flatMap(([name, value]) => [`--${name}`, value]),
        ...['--bind', '127.0.0.1', '--dir', dir, '--save', '', '--dbfilename', `${port}.rdb`],
        ...['--requirepass', password, '--masterauth', password, '--repl-diskless-sync-delay', 0, ...args],
      ]);
    const servers = [server(first), server(second, '--replicaof', '127.0.0.1', `${first}`)];
    const sentinels = others.map((port) => {
      const file = join(dir, `${port}.conf`);
      const lines = [
        ...listenOn(dir, port, certificate).map((setting) => setting.join(' ')),
        `bind 127.0.0.1\ndir ${dir}\nrequirepass ${sentinelPassword}`,
        `sentinel sentinel-pass ${sentinelPassword}`,
        `sentinel monitor ${MASTER} 127.0.0.1 ${first} 2`,
        `sentinel auth-pass ${MASTER} ${password}`,
        `sentinel down-after-milliseconds ${MASTER} ${downAfterMs}`,
        `sentinel failover-timeout ${MASTER} 2000`,
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      return new RedisProcess(t, port, () => [file, '--sentinel']);
    });
    const redis = new RedisSentinels(certificate ? 'rediss' : 'redis', {
      password,
      sentinelPassword,
      servers,
      sentinels,
    });
    await Promise.all(servers.map((one) => one.start()));
    await until('a replica', async () =>
      String(await redis.ask({ port: first ?? 0 }, 'INFO', 'replication')).includes('state=online'),
    );
    await Promise.all(sentinels.map((one) => one.start()));
    await redis.isWatched();
    return redis;
  }

  /** What `REDIS_URL` takes. */
  get url(): string {
    const hosts = this.sentinels.map(({ port }) => `127.0.0.1:${port}`);
    return `${this.#scheme}+sentinel://:${this.password}@${hosts.join()}/${MASTER}/0`;
  }

  /** The variables that lead a gateway to them. */
  get environment(): Record<string, string> {
    return { REDIS_URL: this.url, REDIS_SENTINEL_PASSWORD: this.sentinelPassword };
  }

  /** Sends one command to a server. */
  ask({ port }: { port: number }, ...command: (string | number)[]): Promise<unknown> {
    return askRedis(`${this.#scheme}://:${this.password}@127.0.0.1:${port}`, ...command);
  }

  /** Sends one command to a sentinel. */
  askSentinel({ port }: { port: number }, ...command: (string | number)[]): Promise<unknown> {
    return askRedis(`${this.#scheme}://:${this.sentinelPassword}@127.0.0.1:${port}`, ...command);
  }

  /** Gives servers and sentinels other passwords, which `environment` has from now on; connections stay open. */
  async changePasswords(): Promise<void> {
    const [password, sentinelPassword] = [makePassword(), makePassword()];
    for (const server of this.servers) {
      await this.ask(server, 'CONFIG', 'SET', 'requirepass', password, 'masterauth', password);
    }
    for (const sentinel of this.sentinels) {
      await this.askSentinel(sentinel, 'SENTINEL', 'SET', MASTER, 'auth-pass', password);
      await this.askSentinel(sentinel, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', sentinelPassword);
      await this.askSentinel(sentinel, 'ACL', 'SETUSER', 'default', 'resetpass', `>${sentinelPassword}`);
    }
    [this.password, this.sentinelPassword] = [password, sentinelPassword];
    await this.isWatched();
  }

  /** The server that most sentinels call the master. */
  async master(): Promise<RedisProcess> {
    const told = await Promise.all(
      this.sentinels.map((one) => this.askSentinel(one, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)),
    );
    const ports = told.map((address) => Number((address as string[])[1]));
    const port = ports.find((one) => ports.filter((other) => other === one).length > SENTINELS / 2);
    return this.servers.find((server) => server.port === port) as RedisProcess;
  }

  /** Waits until all sentinels know each other and the replica, and so can make it the master. */
  async isWatched(): Promise<void> {
    await until('watchful sentinels', async () => {
      for (const sentinel of this.sentinels) {
        const told = (await this.askSentinel(sentinel, 'SENTINEL', 'MASTER', MASTER)) as string[];
        const about = (name: string) => Number(told[told.indexOf(name) + 1]);
        if (about('num-other-sentinels') !== SENTINELS - 1 || about('num-slaves') !== 1) return false;
      }
      return true;
    });
  }
}
