import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { RedisClient, Services } from '../base/services.ts';
import { sharedOrLocal } from '../redis/shared-or-local.ts';
import { ACQUIRE, RELEASE } from './lease-scripts.ts';
import { type Failure, SUPERSEDED } from './outcome.ts';

/**
 * An attempt starts within this after the lease was asked for, and so ends before the lease does. Others wait so much longer
 * for a replica that has died.
 */
const SLACK_MS = 1000;
const POLL_MS = 10;
/** For a Redis in a failover writes wait so long, and then go on without it. */
const PATIENCE_MS = 2000;
/** What a lease must know of its write. */
export interface Leased {
  readonly kind: 'replace' | 'merge';
  /** Until when it may be sent, by the clock. */
  readonly deadline: number;
}

interface LeaseOptions {
  readonly redis: RedisClient;
  /** As sharedOrLocal() makes it. */
  readonly run: ReturnType<typeof sharedOrLocal>;
  /** Since when Redis has answered no write. */
  readonly outage: { began: number };
  readonly clock: Clock;
  readonly random: () => number;
}

type State = 'granted' | 'held' | 'wait' | 'superseded';

/** @returns makes the lease of a write in a lane, whose attempts take `attemptTimeoutMs` at most */
export function leasesOf(
  redis: RedisClient,
  attemptTimeoutMs: number,
  services: Services,
): (lane: string, write: Leased) => Lease {
  const run = sharedOrLocal('write_order', services);
  const { clock, random } = services.seams;
  const options = { redis, run, outage: { began: Number.POSITIVE_INFINITY }, clock, random };
  return (lane, write) => new Lease(lane, write, attemptTimeoutMs + SLACK_MS, options);
}

/**
 * Lets one write of a lane at a time be sent by all replicas, and the newest replace after all that came before it. While Redis is
 * unavailable, each replica keeps the order of its own.
 */
export class Lease {
  readonly #redis: RedisClient;
  readonly #run: LeaseOptions['run'];
  readonly #outage: LeaseOptions['outage'];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #write: Leased;
  readonly #leaseMs: number;
  /** In one slot of a Redis Cluster, by their hash tag. */
  readonly #keys: readonly [lane: string, holder: string, following: string];
  readonly #id: string = randomUUID();
  readonly #born: number;
  #registered: Promise<unknown> | undefined;
  #holder = this.#id;
  /** The newest replace that this write knows of; a replace knows itself. */
  #seen: string;
  #version: number | undefined;
  #hasAsked = false;
  /** Redis was asked in vain, and may not know of this write. */
  #hasFailed = false;
  #heldUntil = 0;
  #grant = 0;

  constructor(
    lane: string,
    write: Leased,
    leaseMs: number,
    { redis, run, outage, clock, random }: LeaseOptions,
  ) {
    const key = `write:v2:{${lane}}`;
    this.#keys = [key, `${key}:lease`, `${key}:next`];
    this.#write = write;
    this.#leaseMs = leaseMs;
    this.#redis = redis;
    this.#run = run;
    this.#outage = outage;
    this.#clock = clock;
    this.#random = random;
    this.#born = clock.now();
    this.#seen = write.kind === 'replace' ? this.#id : '';
  }

  /** Whether an attempt that begins now ends before any other replica may send. */
  get isHeld(): boolean {
    return this.#clock.now() < this.#heldUntil;
  }

  /** Counts up whenever another replica may have written before the lease was acquired. */
  get grant(): number {
    return this.#grant;
  }

  /** Gives the write its place among those of all replicas, without waiting for the lease. */
  register(): void {
    this.#registered = this.#run(
      () => this.#ask(0),
      () => undefined,
    );
  }

  /** @returns whether no replica has registered a newer replace */
  async isNewest(): Promise<boolean> {
    // Its registration is on the way, and comes after all others.
    if (this.#version === undefined && !this.#hasFailed) return true;
    return this.#run(
      async () => (await this.#ask(0)) !== 'superseded',
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
    // Asks at once, unless it has asked already.
    if (this.#registered) await this.#registered;
    const began = this.#clock.now();
    while (!ended.aborted) {
      const asked = this.#clock.now();
      const state = await this.#run<State | 'alone'>(
        () => this.#ask(this.#leaseMs),
        (error) => (this.#redis.returnsSoon?.(error) && this.#isPatient(asked - began) ? 'wait' : 'alone'),
      );
      if (state === 'superseded') return SUPERSEDED;
      if (state !== 'wait') {
        this.#hold(state, asked);
        return undefined;
      }
      await this.#clock.wait(POLL_MS * (1 + this.#random()), ended);
    }
    return ended.reason as Failure;
  }

  /** Gives the lease back. The write may acquire it again. */
  release(): void {
    if (this.#heldUntil > 0) this.#tell('');
  }

  /** The same for a write that is over: nobody waits for it any more. */
  end(): void {
    if (this.#hasAsked) this.#tell(this.#id);
  }

  /** Hands the lease over to another write of this process. */
  transfer(to: Lease): void {
    to.#holder = this.#holder;
    to.#heldUntil = this.#heldUntil;
  }

  /** An outage that goes on and on is waited for by the first writes alone. */
  #isPatient(waitedMs: number): boolean {
    this.#outage.began = Math.min(this.#outage.began, this.#clock.now());
    return Math.max(waitedMs, this.#clock.now() - this.#outage.began) < PATIENCE_MS;
  }

  #hold(state: 'granted' | 'held' | 'alone', asked: number): void {
    const wasAlone = this.#heldUntil === Number.POSITIVE_INFINITY;
    if (state === 'granted' || wasAlone !== (state === 'alone')) this.#grant += 1;
    this.#heldUntil = state === 'alone' ? Number.POSITIVE_INFINITY : asked + SLACK_MS;
  }

  /** @param over the id of the write that is over, if it is */
  #tell(over: string): void {
    this.#heldUntil = 0;
    // What Redis does not hear of ends by its own time.
    this.#redis.eval(RELEASE, 3, ...this.#keys, this.#holder, over).catch(() => {});
  }

  async #ask(leaseMs: number): Promise<State> {
    const now = this.#clock.now();
    const age = this.#hasAsked ? Math.ceil(now - this.#born) : 0;
    this.#hasAsked = true;
    const { kind, deadline } = this.#write;
    const left = Math.max(0, Math.ceil(deadline - now));
    const args = [kind, this.#seen, this.#holder, this.#version ?? '', age, left, leaseMs];
    const asked = this.#redis.eval(ACQUIRE, 3, ...this.#keys, ...args);
    asked.catch(() => {
      this.#hasFailed = true;
    });
    const [version, seen, state] = (await asked) as [number, string, State];
    if (!Number.isSafeInteger(version)) throw new Error('Redis has given no version');
    this.#outage.began = Number.POSITIVE_INFINITY;
    if (state !== 'superseded') [this.#version, this.#seen] = [version, seen];
    return state;
  }
}
