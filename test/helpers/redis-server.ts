import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import type { Certificate } from '../../sandbox/certificates.ts';
import { planted } from './secrets.ts';

/** Who starts servers, and ends them. */
export type Owner = Pick<Test, 'testdir' | 'teardown'>;

/** A program of Redis' on a port of this machine, that can be killed, frozen and started again. */
export class RedisProcess {
  readonly port: number;
  readonly #program: string;
  readonly #args: () => readonly (string | number)[];
  #child: ChildProcess | undefined;

  /** @param args of each start */
  constructor(t: Owner, port: number, args: () => readonly (string | number)[], program = 'redis-server') {
    this.port = port;
    this.#program = program;
    this.#args = args;
    t.teardown(() => this.kill());
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, this.#args().map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    let last = '';
    for await (const line of createInterface(child.stdout)) {
      last = line;
      if (!/Ready to accept connections|Sentinel ID is/.test(line)) continue;
      child.stdout.resume();
      return;
    }
    throw new Error(`${this.#program} cannot listen on port ${this.port}: ${last}`);
  }

  /** Ends it as a crash would: without a word to its clients. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Lets it hang: connections stay open and are even taken, and nothing is answered. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }
}

/** What a program of Redis' listens with: its port, and where it has a certificate no connection without TLS. */
export function listenOn(dir: string, port: number, certificate?: Certificate): [string, string | number][] {
  if (!certificate) return [['port', port]];
  const files = Object.entries(certificate).map(([name, text]) => {
    // Another server may be reading its own.
    const file = join(dir, `${port}-${name}.pem`);
    writeFileSync(file, text);
    return [name, file] as const;
  });
  const { key = '', cert = '', ca = '' } = Object.fromEntries(files);
  return [
    ['port', 0],
    ['tls-port', port],
    ['tls-key-file', key],
    ['tls-cert-file', cert],
    ['tls-ca-cert-file', ca],
    ['tls-auth-clients', 'no'],
    ['tls-cluster', 'yes'],
    ['tls-replication', 'yes'],
  ];
}

/** Sends one command on a connection of its own. */
export async function askRedis(url: string, ...[name = '', ...args]: (string | number)[]): Promise<unknown> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  redis.on('error', () => {});
  try {
    return await redis.call(String(name), ...args);
  } finally {
    redis.disconnect();
  }
}

/** Long, odd, and searched for in what leaves the gateway. */
export function makePassword(): string {
  const password = `redis-${randomBytes(16).toString('hex')}`;
  planted.add(password);
  return password;
}
