import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/services.ts';
import { type Client, callOf, type Requester, type Result, type Send, type Turn, Waiters } from './call.ts';
import { type Change, compose } from './change.ts';
import type { UpstreamConversation } from './conversation.ts';
import type { Lease } from './lease.ts';
import { setTags, type Target } from './operations.ts';
import { type Failure, type Outcome, SUPERSEDED, TURN_LOST } from './outcome.ts';

type Written = UpstreamConversation[];

/** A change on its way to CometChat, for the clients that wait for it. */
class Entry implements Turn {
  readonly change: Change;
  /** The same for equal changes. */
  readonly key: string;
  readonly lease: Lease | undefined;
  readonly waiters: Waiters;
  readonly outcome = Promise.withResolvers<Outcome<Written>>();
  /** Resolved when its turn in this process has come, or it has ended. */
  readonly turn = Promise.withResolvers<void>();
  /** Its outcome is known, so no client may join it. Its last attempt may still be in doubt. */
  isOver = false;
  /** How long an attempt in doubt delays a different write, counted from the start of the attempt. */
  readonly #inDoubtMs: number;
  readonly #clock: Clock;
  #startedAt = 0;
  #inDoubtUntil = 0;

  constructor(name: string, change: Change, options: LanesOptions) {
    this.change = change;
    this.key = JSON.stringify(change);
    this.lease = options.leaseOf?.(name);
    this.#clock = options.clock;
    this.waiters = new Waiters(options.clock);
    // Half a deadline is left for the write that waits. The lease covers no more than attemptTimeoutMs.
    this.#inDoubtMs = Math.min(options.attemptTimeoutMs, options.deadlineMs / 2);
    this.waiters.ended.addEventListener('abort', this.turn.resolve as () => void);
  }

  /** Sends the change, which waits for its turn in come(). Until then the first client has joined. */
  begin(send: Send, target: Target, requester: Requester): void {
    const operation = setTags(target, this.change.tags);
    this.outcome.resolve(send(callOf(operation, requester, this.waiters, this)));
  }

  /** Whether an attempt whose outcome is unknown may still land. */
  get isInDoubt(): boolean {
    return this.#inDoubtUntil > this.#clock.now();
  }

  /** Waits until no attempt is in doubt, or `woken` is aborted. */
  async untilSure(woken: AbortSignal): Promise<void> {
    await this.#clock.wait(Math.max(0, this.#inDoubtUntil - this.#clock.now()), woken);
  }

  /** Takes the doubt and the lease over from an equal entry before it. */
  continueFrom(from: Entry): void {
    this.#inDoubtUntil = from.#inDoubtUntil;
    if (this.lease) from.lease?.transfer(this.lease);
  }

  async come(): Promise<Failure | undefined> {
    await this.turn.promise;
    return this.waiters.ended.reason as Failure | undefined;
  }

  acquire(): Promise<Failure | undefined> | undefined {
    return this.lease?.acquire(this.waiters.ended);
  }

  start(): Failure | undefined {
    if (this.lease && !this.lease.isHeld) return TURN_LOST;
    this.#startedAt = this.#clock.now();
    return undefined;
  }

  attempted(outcome: Outcome<unknown>): void {
    if (outcome.ok) return;
    if (outcome.isInDoubt) this.#inDoubtUntil = this.#startedAt + this.#inDoubtMs;
    // While this one waits for Retry-After, a newer write of another replica may be sent.
    if (outcome.retryAfterSeconds && !this.isInDoubt) this.lease?.release();
  }
}

/** The queue of one user's writes to one conversation. */
interface Lane {
  current: Entry;
  /** The newest of the changes that came meanwhile. */
  next: Entry | undefined;
  /** Ends the wait for an attempt in doubt, so that the lane looks at `next`. */
  wake(): void;
}

interface LanesOptions {
  readonly send: Send;
  /** @returns the reason where this user's call cannot be sent now */
  readonly refusal: (requester: Requester, target: Target) => Failure | undefined;
  /** Makes a lease, where replicas share a Redis. */
  readonly leaseOf: ((lane: string) => Lease) | undefined;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

const laneName = ({ onBehalfOf }: Requester, { type, id }: Target) => `${onBehalfOf}:${type}:${id}`;

/** Sends the writes of each lane one at a time. The newest one waits, older ones end as superseded, equal ones are sent once. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #merged;
  readonly #lanes = new Map<string, Lane>();

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#merged = options.metrics.counter(
      'merged_writes_total',
      'Requests that were equal to one under way, and got its answer',
    );
  }

  /** @returns what became of the change; never throws for anything that CometChat, the network or Redis does */
  async write(target: Target, change: Change, requester: Requester & Client): Promise<Result<Written>> {
    const name = laneName(requester, target);
    const newestBefore = this.#newest(name);
    const key = JSON.stringify(change);
    const equalBefore = this.#joinable(name, key);
    // Where another replica has taken a newer change since, this one came last, and is sent again.
    const isStillNewest = !equalBefore?.lease || (await equalBefore.lease.isNewest());
    // Redis has taken its time, and the lane may have changed.
    const newest = this.#newest(name);
    const equal = this.#joinable(name, key);
    if (equal && (isStillNewest || equal !== equalBefore)) {
      this.#merged.inc();
      return resultOf(equal, requester, true);
    }
    const isSuperseded = newest && newest !== newestBefore && newest.key !== key;
    const refusal = isSuperseded ? SUPERSEDED : this.#options.refusal(requester, target);
    if (refusal) return { outcome: refusal, retried: [], isMerged: false };
    return resultOf(this.#begin(name, target, change, requester), requester, false);
  }

  #newest(name: string): Entry | undefined {
    const { current, next } = this.#lanes.get(name) ?? {};
    return next ?? current;
  }

  #joinable(name: string, key: string): Entry | undefined {
    const newest = this.#newest(name);
    if (!newest || newest.isOver || newest.waiters.ended.aborted) return undefined;
    return newest.key === key ? newest : undefined;
  }

  #begin(name: string, target: Target, change: Change, requester: Requester): Entry {
    const lane = this.#lanes.get(name);
    const entry = new Entry(name, lane?.next ? compose(lane.next.change, change) : change, this.#options);
    entry.begin(this.#options.send, target, requester);
    if (!lane) {
      void this.#run(name, entry);
      return entry;
    }
    lane.current.waiters.end(SUPERSEDED);
    lane.next?.waiters.end(SUPERSEDED);
    lane.next = entry;
    // Among all replicas, writes are in the order of their arrival, and not of their turns.
    entry.lease?.register();
    lane.wake();
    return entry;
  }

  async #run(name: string, first: Entry): Promise<void> {
    const lane: Lane = { current: first, next: undefined, wake() {} };
    this.#lanes.set(name, lane);
    for (;;) {
      const { current } = lane;
      current.turn.resolve();
      await current.outcome.promise.catch(() => {});
      current.isOver = true;
      // While its last attempt may still land, a different write waits. An equal one does no harm in either order.
      while (current.isInDoubt && lane.next?.key !== current.key) {
        const woken = new AbortController();
        lane.wake = () => woken.abort();
        await current.untilSure(woken.signal);
      }
      const { next } = lane;
      if (next && current.isInDoubt) next.continueFrom(current);
      else current.lease?.release();
      if (!next) break;
      lane.current = next;
      lane.next = undefined;
    }
    this.#lanes.delete(name);
  }
}

async function resultOf(entry: Entry, client: Client, isMerged: boolean): Promise<Result<Written>> {
  const outcome = await entry.waiters.join(() => entry.outcome.promise, client);
  return { outcome, retried: entry.waiters.retried, isMerged };
}
