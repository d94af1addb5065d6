import type { Redis } from 'ioredis';
import { redisLua, type Value } from './redis-lua.ts';
import type { VirtualClock } from './virtual-clock.ts';

interface Entry {
  readonly value: string | Map<string, string>;
  readonly until: number;
}

/** When no command succeeds, and replies that are on their way are lost. */
export interface Failover {
  readonly fromMs: number;
  readonly forMs: number;
}

/** UNIX milliseconds when the virtual clock begins. */
const EPOCH = Date.UTC(2026, 0, 1);

/** A Redis in this process, by a virtual clock: as much of it as writes need, with scripts run as Lua. */
export class ScriptedRedis {
  readonly #clock: VirtualClock;
  readonly #keys = new Map<string, Entry>();
  readonly #failover: Failover;
  /** That of a command or script which this Redis cannot run: what asks for it may take it for a Redis that is down. */
  #error: unknown;

  constructor(clock: VirtualClock, failover: Failover = { fromMs: 0, forMs: 0 }) {
    this.#clock = clock;
    this.#failover = failover;
  }

  /**
   * A connection, on which commands and replies keep their order.
   *
   * @param latency milliseconds of the next way, there or back
   * @param isDead whether its process is: then nothing arrives any more
   */
  connection(latency: () => number, isDead = () => false): Redis {
    let there = 0;
    let back = 0;
    const ask = async (command: () => Value): Promise<Value> => {
      if (isDead()) return new Promise(() => {});
      there = Math.max(there, this.#clock.now() + latency());
      await this.#clock.wait(there - this.#clock.now());
      const { fromMs, forMs } = this.#failover;
      const begun = this.#clock.now();
      if (begun >= fromMs && begun < fromMs + forMs) throw new Error('Connection is closed.');
      const reply = command();
      back = Math.max(back, this.#clock.now() + latency());
      await this.#clock.wait(back - this.#clock.now());
      if (forMs > 0 && begun < fromMs && this.#clock.now() >= fromMs)
        throw new Error('Connection is closed.');
      return reply;
    };
    return {
      eval: (script: string, keys: number, ...args: unknown[]) =>
        ask(() => this.#run(script, args.map(String), keys)),
      pttl: () => ask(() => -2),
      returnsSoon: () => this.#failover.forMs > 0,
    } as unknown as Redis;
  }

  /** The field of the one hash whose key begins so; 0 where there is none. */
  number(prefix: string, field: string): number {
    const key = [...this.#keys.keys()].find((one) => one.startsWith(prefix)) ?? '';
    return Number(this.#hash(key).get(field) ?? 0);
  }

  /** Throws if a command or script could not be run. */
  check(): void {
    if (this.#error) throw this.#error;
  }

  #command([name = '', key = '', ...args]: string[]): Value {
    const now = this.#clock.now() + EPOCH;
    switch (name) {
      case 'TIME':
        return [String(Math.floor(now / 1000)), String(Math.floor((now % 1000) * 1000))];
      case 'GET':
        return (this.#entry(key)?.value as string) ?? false;
      case 'SET':
        this.#keys.set(key, { value: String(args[0]), until: this.#clock.now() + Number(args[2]) });
        return 'OK';
      case 'DEL':
        return Number(this.#keys.delete(key));
      case 'HMGET':
        return args.map((field) => this.#hash(key).get(field) ?? false);
      case 'HGET':
        return this.#hash(key).get(`${args[0]}`) ?? false;
      case 'HDEL':
        return Number(this.#hash(key).delete(`${args[0]}`));
      case 'HSET': {
        const hash = this.#hash(key);
        for (let n = 0; n < args.length; n += 2) hash.set(`${args[n]}`, `${args[n + 1]}`);
        this.#keys.set(key, { value: hash, until: Number.POSITIVE_INFINITY });
        return args.length / 2;
      }
      case 'HINCRBY': {
        const hash = this.#hash(key);
        hash.set(`${args[0]}`, `${Number(hash.get(`${args[0]}`) ?? 0) + Number(args[1])}`);
        this.#keys.set(key, { value: hash, until: Number.POSITIVE_INFINITY });
        return Number(hash.get(`${args[0]}`));
      }
      case 'PEXPIRE':
        this.#keys.set(key, { value: this.#hash(key), until: this.#clock.now() + Number(args[0]) });
        return 1;
      default:
        throw new Error(`${name} is not a command of this Redis`);
    }
  }

  #entry(key: string): Entry | undefined {
    const entry = this.#keys.get(key);
    return entry && entry.until > this.#clock.now() ? entry : undefined;
  }

  #hash(key: string): Map<string, string> {
    const { value } = this.#entry(key) ?? {};
    return value instanceof Map ? value : new Map();
  }

  #run(script: string, args: string[], keys: number): Value {
    try {
      return redisLua.run(script, args.slice(0, keys), args.slice(keys), (command) => this.#command(command));
    } catch (error) {
      this.#error ??= error;
      throw error;
    }
  }
}
