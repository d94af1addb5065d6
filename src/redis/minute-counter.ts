import type { RedisClient, Services } from '../base/services.ts';
import { sharedOrLocal } from './shared-or-local.ts';

export const MINUTE_MS = 60_000;

/** A minute's counts are of no use after it. */
const KEPT_MS = 2 * MINUTE_MS;
/** In this process: more than the users that CometChat's quota lets through in a minute. */
const MAX_LOCAL_KEYS = 50_000;

/** No legal uid or address, so that it is never a key of a caller's. */
const TOTAL = ':total';

/** A minute's counts, the one that was just added included. */
export interface Tally {
  /** Its number; see minuteAt(). */
  readonly minute: number;
  /** Of this key, and of all keys together. */
  readonly count: number;
  readonly total: number;
  /** Takes back what was added. */
  readonly takeBack: () => void;
}

// One hash holds a minute, so that a Redis Cluster keeps it in one slot.
export const ADD = `
local count = redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])
local total = redis.call('HINCRBY', KEYS[1], '${TOTAL}', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
return {count, total}`;

/**
 * The minute of the clock that a moment is in. Every minute counts under a key of its own, so that a clock that jumps can
 * lock nobody out for longer than that.
 *
 * @param now in UNIX milliseconds
 * @returns its number, the milliseconds since it began, and the whole seconds until it is over, from 1 to 60
 */
export function minuteAt(now: number): { number: number; elapsedMs: number; secondsLeft: number } {
  const number = Math.floor(now / MINUTE_MS);
  const elapsedMs = now - number * MINUTE_MS;
  return { number, elapsedMs, secondsLeft: Math.max(1, Math.ceil((MINUTE_MS - elapsedMs) / 1000)) };
}

/**
 * Counts by key in the minute of the clock: in Redis for all replicas, and in this process where there is no Redis or while
 * it does not answer.
 */
export class MinuteCounter {
  readonly #name: string;
  readonly #services: Services;
  readonly #run: ReturnType<typeof sharedOrLocal>;
  #minute = { number: 0, total: 0, counts: new Map<string, number>() };

  /**
   * @param name begins the keys in Redis
   * @param use what Redis is used for, in metrics and log
   * @param fields what else the log says about it
   */
  constructor(name: string, use: string, services: Services, fields: Record<string, string> = {}) {
    this.#name = name;
    this.#services = services;
    this.#run = sharedOrLocal(use, services, fields);
  }

  /**
   * Counts one more.
   *
   * @param alongside asks Redis something else in the same round trip; where it fails, the count is the process's
   * @returns the minute's counts
   */
  async add(key: string, alongside?: (redis: RedisClient) => Promise<void>): Promise<Tally> {
    const { redis, seams } = this.#services;
    // It may be a new minute by the time that Redis has not answered.
    const local = () => this.#addLocal(minuteAt(seams.now()).number, key);
    if (!redis) return local();
    const { number: minute } = minuteAt(seams.now());
    const isAsked = redis.status === 'ready';
    const shared = (by: number) => redis.eval(ADD, 1, `${this.#name}:${minute}`, key, by);
    // A count that is not taken back lets one call less through in this minute: no harm worth an error.
    const takeBack = () => void shared(-1).catch(() => {});
    return this.#run<Tally>(
      async () => {
        const [reply] = await Promise.all([shared(1), alongside?.(redis)]);
        const [count, total] = reply as unknown[];
        if (!isCount(count) || !isCount(total)) throw new Error('Redis has not counted');
        return { minute, count, total, takeBack };
      },
      () => {
        const tally = local();
        const takeBackBoth = () => {
          tally.takeBack();
          // A Redis that hangs will count all the same, when it goes on.
          if (isAsked) takeBack();
        };
        return { ...tally, takeBack: takeBackBoth };
      },
    );
  }

  #addLocal(number: number, key: string): Tally {
    if (number !== this.#minute.number) this.#minute = { number, total: 0, counts: new Map() };
    const minute = this.#minute;
    const { counts } = minute;
    const count = (counts.get(key) ?? 0) + 1;
    // Deleted first, so that the map has the key that was not used for longest in front.
    counts.delete(key);
    // The oldest key is looked for only when it must go: that takes longer, the more keys were deleted before it.
    if (counts.size >= MAX_LOCAL_KEYS) counts.delete(counts.keys().next().value as string);
    counts.set(key, count);
    minute.total += 1;
    const takeBack = () => {
      minute.total -= 1;
      const now = counts.get(key);
      if (now !== undefined) counts.set(key, now - 1);
    };
    return { minute: number, count, total: minute.total, takeBack };
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value);
