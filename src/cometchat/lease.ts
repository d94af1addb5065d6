import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { RedisClient, Services } from '../base/services.ts';
import { ACQUIRE, RELEASE } from './lease-scripts.ts';
import { type Failure, SUPERSEDED } from './outcome.ts';
import { Patience } from './patience.ts';

/**
 * An attempt starts within this after the lease was asked for, and so ends before the lease does. Others wait so much longer
 * for a replica that has died.
 */
const SLACK_MS = 1000;
/** How many earlier writes of its lane a write names to Redis, at most. */
const MOST_BEFORE = 8;

/** What a lease must know of its write. */
export interface Leased {
  readonly kind: 'replace' | 'merge';
  /** Until when it may be sent, by the clock. */
  readonly deadline: number;
}

interface LeaseOptions {
  readonly redis: RedisClient;
  readonly patience: Patience;
  readonly clock: Clock;
}

type State = 'granted' | 'held' | 'wait' | 'superseded';
/** To a question that was asked then. */
interface Answer {
  readonly asked: number;
  readonly state: State | 'alone';
}
/** Without Redis a process keeps the lease to itself. */
const ALONE: Answer = { asked: Number.POSITIVE_INFINITY, state: 'alone' };

/** @returns makes the lease of a write in a lane, whose attempts take `attemptTimeoutMs` at most */
export function leasesOf(
  redis: RedisClient,
  attemptTimeoutMs: number,
  services: Services,
): (lane: string, write: Leased) => Lease {
  const options = { redis, patience: new Patience(redis, services), clock: services.seams.clock };
  return (lane, write) => new Lease(lane, write, attemptTimeoutMs + SLACK_MS, options);
}

/**
 * Lets one write of a lane at a time be sent by all replicas, and the newest replace after all that came before it. While Redis is
 * unavailable, each replica keeps the order of its own.
 */
export class Lease {
  readonly #options: LeaseOptions;
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
  /** Replaces that came before this write, as far as its replica knows. Redis only knows when it was told of each. */
  #before: readonly string[] = [];
  #version: number | undefined;
  #hasAsked = false;
  /** Redis was asked in vain, and may not know of this write. */
  #hasFailed = false;
  /** The last question may have been answered, and that answer lost. */
  #isUnheard = false;
  #heldUntil = 0;
  #grant = 0;

  constructor(lane: string, write: Leased, leaseMs: number, options: LeaseOptions) {
    const key = `write:v2:{${lane}}`;
    this.#keys = [key, `${key}:lease`, `${key}:next`];
    this.#write = write;
    this.#leaseMs = leaseMs;
    this.#options = options;
    this.#born = options.clock.now();
    this.#seen = write.kind === 'replace' ? this.#id : '';
  }

  /** Whether an attempt that begins now ends before any other replica may send. */
  get isHeld(): boolean {
    return this.#options.clock.now() < this.#heldUntil;
  }

  /** Counts up whenever another replica may have written before the lease was acquired. */
  get grant(): number {
    return this.#grant;
  }

  /** Takes note that another write of this process came before. */
  follow(other: Lease): void {
    this.#before = [...other.#before, other.#seen].slice(-MOST_BEFORE);
  }

  /**
   * Gives the write its place among those of all replicas, without waiting for the lease.
   *
   * @param ended stops the asking
   */
  register(ended?: AbortSignal): void {
    this.#registered = this.#options.patience.ask(() => this.#ask(0), 'wait', ended);
  }

  /** @returns whether no replica has registered a newer replace */
  async isNewest(): Promise<boolean> {
    // Its registration is on the way, and comes after all others.
    if (this.#version === undefined && !this.#hasFailed) return true;
    return this.#options.patience.run(
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
    const { patience, clock } = this.#options;
    const ask = async () => ({ asked: clock.now(), state: await this.#ask(this.#leaseMs) });
    while (!ended.aborted) {
      const { asked, state } = await patience.ask<Answer>(ask, ALONE, ended);
      if (ended.aborted) break;
      if (state === 'superseded') return SUPERSEDED;
      if (state !== 'wait') {
        this.#hold(state, asked);
        return undefined;
      }
      await patience.pause(ended);
    }
    return ended.reason as Failure;
  }

  /** Gives the lease back. The write may acquire it again. */
  release(): void {
    if (this.#heldUntil > 0) this.#giveBack('').catch(() => {});
  }

  /** The same for a write that is over: nobody waits for it any more. */
  async end(): Promise<void> {
    // What Redis does not hear of ends by its own time.
    await this.#options.patience.tell(() => this.#giveBack(this.#id));
  }

  /** Hands the lease over to another write of this process. */
  transfer(to: Lease): void {
    to.#holder = this.#holder;
    to.#heldUntil = this.#heldUntil;
  }

  #hold(state: 'granted' | 'held' | 'alone', asked: number): void {
    const wasAlone = this.#heldUntil === Number.POSITIVE_INFINITY;
    const isLost = state === 'held' && this.#isUnheard;
    if (state === 'granted' || isLost || wasAlone !== (state === 'alone')) this.#grant += 1;
    this.#isUnheard = false;
    this.#heldUntil = asked + SLACK_MS;
  }

  /** @param over the id of the write that is over, if it is */
  async #giveBack(over: string): Promise<void> {
    this.#heldUntil = 0;
    await this.#options.redis.eval(RELEASE, 3, ...this.#keys, this.#holder, over);
  }

  async #ask(leaseMs: number): Promise<State> {
    const { redis, clock } = this.#options;
    const now = clock.now();
    const age = this.#hasAsked ? Math.ceil(now - this.#born) : 0;
    this.#hasAsked = true;
    const { kind, deadline } = this.#write;
    const left = Math.max(0, Math.ceil(deadline - now));
    const before = this.#before.join();
    const args = [kind, this.#seen, this.#holder, this.#version ?? '', age, left, leaseMs, before];
    const asked = redis.eval(ACQUIRE, 3, ...this.#keys, ...args);
    asked.catch(() => {
      this.#hasFailed = true;
      this.#isUnheard = true;
    });
    const [version, seen, state] = (await asked) as [number, string, State];
    if (!Number.isSafeInteger(version)) throw new Error('Redis has given no version');
    if (state !== 'superseded') [this.#version, this.#seen] = [version, seen];
    return state;
  }
}
