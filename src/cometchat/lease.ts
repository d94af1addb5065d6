import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../base/clock.ts';
import type { Services } from '../base/services.ts';
import { sharedOrLocal } from '../redis/shared-or-local.ts';
import { type Failure, SUPERSEDED } from './outcome.ts';

/**
 * An attempt starts within this after the lease was asked for, and so ends before the lease does. Others wait so much longer
 * for a replica that has died.
 */
const SLACK_MS = 1000;
const POLL_MS = 10;
/** Longer than any deadline. */
const KEPT_MS = 120_000;

// The replicas know of a lane: a hash with the version and id of its newest write and when that came (`at`), and beside it
// the id of the write that holds the lease. A write is the newest when it is registered, for the first time. One that could
// not be registered when it came, or whose version Redis has lost, is the newest only if nothing came later.
const ACQUIRE = `
local id, holder, version, age, leaseMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local newest = redis.call('HMGET', KEYS[1], 'version', 'id', 'at')
local current = tonumber(newest[1] or 0)
if newest[2] ~= id then
  if version and version < current then return {version, 'superseded'} end
  local time = redis.call('TIME')
  local came = time[1] * 1000 + math.floor(time[2] / 1000) - age
  if age > 0 and tonumber(newest[3] or 0) > came then return {current, 'superseded'} end
  current = current + 1
  redis.call('HSET', KEYS[1], 'version', current, 'id', id, 'at', came)
  redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
end
local other = redis.call('GET', KEYS[2])
if leaseMs == '0' or (other and other ~= holder) then return {current, 'wait'} end
redis.call('SET', KEYS[2], holder, 'PX', leaseMs)
return {current, 'held'}`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

interface LeaseOptions {
  readonly redis: Redis;
  /** As sharedOrLocal() makes it. */
  readonly run: ReturnType<typeof sharedOrLocal>;
  readonly clock: Clock;
  readonly random: () => number;
}

type State = 'held' | 'wait' | 'superseded';

/** @returns makes the lease of a write in a lane, whose attempts take `attemptTimeoutMs` at most */
export function leasesOf(
  redis: Redis,
  attemptTimeoutMs: number,
  services: Services,
): (lane: string) => Lease {
  const run = sharedOrLocal('write_order', services);
  const { clock, random } = services.seams;
  return (lane) => new Lease(lane, attemptTimeoutMs + SLACK_MS, { redis, run, clock, random });
}

/**
 * Lets one write of a lane at a time be sent by all replicas, and the newest one last. While Redis is unavailable, each
 * replica keeps the order of its own.
 */
export class Lease {
  readonly #redis: Redis;
  readonly #run: LeaseOptions['run'];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #leaseMs: number;
  /** In one slot of a Redis Cluster, by their hash tag. */
  readonly #keys: readonly [lane: string, holder: string];
  readonly #id: string = randomUUID();
  readonly #born: number;
  #registered: Promise<unknown> | undefined;
  #holder = this.#id;
  #version: number | undefined;
  #hasAsked = false;
  /** Redis was asked in vain, and may not know of this write. */
  #hasFailed = false;
  #heldUntil = 0;

  constructor(lane: string, leaseMs: number, { redis, run, clock, random }: LeaseOptions) {
    this.#keys = [`write:v2:{${lane}}`, `write:v2:{${lane}}:lease`];
    this.#leaseMs = leaseMs;
    this.#redis = redis;
    this.#run = run;
    this.#clock = clock;
    this.#random = random;
    this.#born = clock.now();
  }

  /** Whether an attempt that begins now ends before any other replica may send. */
  get isHeld(): boolean {
    return this.#clock.now() < this.#heldUntil;
  }

  /** Makes the write the newest of its lane, without waiting for the lease. */
  register(): void {
    this.#registered = this.#run(
      () => this.#ask(0),
      () => undefined,
    );
  }

  /** @returns whether no replica has registered a newer write */
  async isNewest(): Promise<boolean> {
    // Its registration is on the way, and comes after all others.
    if (this.#version === undefined && !this.#hasFailed) return true;
    return this.#run(
      async () => (await this.#redis.hget(this.#keys[0], 'id')) === this.#id,
      () => true,
    );
  }

  /**
   * Waits for the lease, or extends it.
   *
   * @param ended stops the waiting, with the failure as its reason
   * @returns why it will not be given
   */
  async acquire(ended: AbortSignal): Promise<Failure | undefined> {
    await this.#registered;
    while (!ended.aborted) {
      const asked = this.#clock.now();
      const state = await this.#run<State | 'alone'>(
        () => this.#ask(this.#leaseMs),
        () => 'alone',
      );
      if (state === 'superseded') return SUPERSEDED;
      if (state !== 'wait') {
        this.#heldUntil = state === 'held' ? asked + SLACK_MS : Number.POSITIVE_INFINITY;
        return undefined;
      }
      await this.#clock.wait(POLL_MS * (1 + this.#random()), ended);
    }
    return ended.reason as Failure;
  }

  release(): void {
    if (this.#heldUntil === 0) return;
    this.#heldUntil = 0;
    // A lease that Redis does not hear of ends by its own time.
    this.#redis.eval(RELEASE, 1, this.#keys[1], this.#holder).catch(() => {});
  }

  /** Hands the lease over to another write of this process. */
  transfer(to: Lease): void {
    to.#holder = this.#holder;
    to.#heldUntil = this.#heldUntil;
  }

  async #ask(leaseMs: number): Promise<State> {
    const age = this.#hasAsked ? Math.ceil(this.#clock.now() - this.#born) : 0;
    this.#hasAsked = true;
    const args = [this.#id, this.#holder, this.#version ?? '', age, leaseMs];
    const asked = this.#redis.eval(ACQUIRE, 2, ...this.#keys, ...args);
    asked.catch(() => {
      this.#hasFailed = true;
    });
    const reply = (await asked) as [number, State];
    if (!Number.isSafeInteger(reply[0])) throw new Error('Redis has given no version');
    [this.#version] = reply;
    return reply[1];
  }
}
