import type { Redis } from 'ioredis';
import { minuteAt } from '../base/minute.ts';

/** What has been spent in a minute before the call that is asked for; see fair-share.ts. */
export interface Count {
  readonly spent: number;
  readonly mine: number;
  readonly users: number;
}

/** No legal uid, so that it never is a user's. */
const EVERYBODY = ':all';

/** Counts the calls of a minute in this process. */
export class LocalLedger {
  #number = 0;
  #calls = new Map<string, number>();

  /** Counts a call; `now` is in UNIX milliseconds. */
  take(user: string, now: number): Count {
    const calls = this.#at(now);
    const count = { spent: calls.get(EVERYBODY) ?? 0, mine: calls.get(user) ?? 0 };
    calls.set(EVERYBODY, count.spent + 1).set(user, count.mine + 1);
    return { ...count, users: calls.size - 1 };
  }

  /** Counts it back. Its user goes on to count as one of those who want calls. */
  giveBack(user: string, now: number): void {
    // Those of a minute that is over are forgotten already.
    if (minuteAt(now).number !== this.#number) return;
    for (const name of [EVERYBODY, user]) this.#calls.set(name, Number(this.#calls.get(name)) - 1);
  }

  #at(now: number): Map<string, number> {
    const { number } = minuteAt(now);
    if (number !== this.#number) this.#calls = new Map();
    this.#number = number;
    return this.#calls;
  }
}

/** A minute's key is of no use after it. */
const KEPT_MS = 120_000;

/** The same in Redis, for all replicas. */
export class RedisLedger {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @throws whatever is wrong with Redis */
  async take(user: string, now: number): Promise<Count> {
    const key = keyOf(now);
    // One after the other on the wire, and one wait for all.
    const [spent, mine, users] = await Promise.all([
      this.#redis.hincrby(key, EVERYBODY, 1),
      this.#redis.hincrby(key, user, 1),
      this.#redis.hlen(key),
      this.#redis.pexpire(key, KEPT_MS),
    ]);
    if (![spent, mine, users].every(Number.isSafeInteger)) throw new Error('Redis has not counted');
    return { spent: spent - 1, mine: mine - 1, users: users - 1 };
  }

  giveBack(user: string, now: number): void {
    // What is not given back is a call that nobody makes in this minute: no harm worth an error.
    const key = keyOf(now);
    const commands = [EVERYBODY, user].map((name) => this.#redis.hincrby(key, name, -1));
    // If Redis has lost the key, this has made a new one.
    Promise.all([...commands, this.#redis.pexpire(key, KEPT_MS)]).catch(() => {});
  }
}

const keyOf = (now: number) => `quota:${minuteAt(now).number}`;
