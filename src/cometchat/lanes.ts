import { setTimeout as wait } from 'node:timers/promises';
import type { Metrics } from '../base/services.ts';
import { type Client, callOf, type Requester, type Result, type Send, type Turn, Waiters } from './call.ts';
import { type Change, compose } from './change.ts';
import type { UpstreamConversation } from './conversation.ts';
import type { Lease, Leases } from './lease.ts';
import { setTags, type Target } from './operations.ts';
import { type Failure, type Outcome, SUPERSEDED, TURN_LOST } from './outcome.ts';

type Written = UpstreamConversation[];

/** A change on its way to CometChat, for the clients that wait for it. */
class Entry implements Turn {
  readonly change: Change;
  /** The same for equal changes. */
  readonly key: string;
  readonly lease: Lease | undefined;
  readonly waiters = new Waiters();
  readonly outcome: Promise<Outcome<Written>>;
  readonly retried: readonly string[];
  /** Its outcome is known; a newer entry may still have to wait. */
  isOver = false;
  readonly #turn = Promise.withResolvers<void>();
  /** How long an attempt in doubt holds up a different write, from its start on. */
  readonly #inDoubtMs: number;
  #startedAt = 0;
  #inDoubtUntil = 0;

  constructor(target: Target, change: Change, requester: Requester, options: LanesOptions) {
    this.change = change;
    this.key = JSON.stringify(change);
    this.lease = options.leases?.lease(laneOf(requester, target));
    // A write that waits for an attempt in doubt has a deadline, too.
    this.#inDoubtMs = Math.min(options.attemptTimeoutMs, options.deadlineMs / 2);
    // An entry that has ended has nothing to wait for.
    this.waiters.ended.addEventListener('abort', this.#turn.resolve as () => void);
    const call = callOf(setTags(target, change.tags), requester, this.waiters, this);
    this.retried = call.retried;
    this.outcome = options.send(call);
  }

  /** Whether an attempt whose outcome is unknown may still land. */
  get isInDoubt(): boolean {
    return this.#inDoubtUntil > performance.now();
  }

  /** Waits until no attempt is in doubt any more. */
  async settled(woken: AbortSignal): Promise<void> {
    const left = Math.max(0, this.#inDoubtUntil - performance.now());
    await wait(left, undefined, { ref: false, signal: woken }).catch(() => {});
  }

  /** Goes on from an equal entry that is still in doubt. */
  takeOver(from: Entry): void {
    this.#inDoubtUntil = from.#inDoubtUntil;
    if (this.lease) from.lease?.transfer(this.lease);
  }

  /** Begins its turn in this process. */
  run(): void {
    this.#turn.resolve();
  }

  async acquire(): Promise<Failure | undefined> {
    await this.#turn.promise;
    const { ended } = this.waiters;
    if (ended.aborted) return ended.reason as Failure;
    return this.lease?.acquire(ended);
  }

  start(): Failure | undefined {
    if (this.lease && !this.lease.isHeld) return TURN_LOST;
    this.#startedAt = performance.now();
    return undefined;
  }

  attempted(outcome: Outcome<unknown>): void {
    if (outcome.ok) return;
    if (outcome.isInDoubt) this.#inDoubtUntil = this.#startedAt + this.#inDoubtMs;
    // A newer write of another replica need not wait as long as CometChat asks for.
    if (outcome.retryAfterSeconds && !this.isInDoubt) this.lease?.release();
  }
}

/** The queue of one user's writes to one conversation. */
interface Lane {
  current: Entry;
  /** The newest of the changes that came meanwhile. */
  next: Entry | undefined;
  /** Lets the lane look at `next`. */
  wake(): void;
}

interface LanesOptions {
  readonly send: Send;
  /** @returns why no call would be sent now, of any user */
  readonly refusal: () => Failure | undefined;
  /** Where replicas share a Redis. */
  readonly leases: Leases | undefined;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  readonly metrics: Metrics;
}

const laneOf = ({ onBehalfOf }: Requester, { type, id }: Target) => `${onBehalfOf}:${type}:${id}`;

/** Sends the writes of each lane one at a time and in order, and equal ones once. */
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
    const name = laneOf(requester, target);
    const before = this.#newest(name);
    const key = JSON.stringify(change);
    const equal = this.#joinable(name, key);
    // Where another replica has taken a newer change since, this one is newer still, and is sent again.
    const isNewest = !equal?.lease || (await equal.lease.isNewest());
    const newest = this.#newest(name);
    const joined = this.#joinable(name, key);
    if (joined && (isNewest || joined !== equal)) {
      this.#merged.inc();
      return resultOf(joined, requester, true);
    }
    const isSuperseded = newest && newest !== before && newest.key !== key;
    const refusal = isSuperseded ? SUPERSEDED : this.#options.refusal();
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
    const composed = lane?.next ? compose(lane.next.change, change) : change;
    const entry = new Entry(target, composed, requester, this.#options);
    if (!lane) {
      void this.#run(name, entry);
      return entry;
    }
    lane.current.waiters.end(SUPERSEDED);
    lane.next?.waiters.end(SUPERSEDED);
    lane.next = entry;
    // Its place among all replicas is that of its arrival, however long it has to wait.
    entry.lease?.register();
    lane.wake();
    return entry;
  }

  async #run(name: string, first: Entry): Promise<void> {
    const lane: Lane = { current: first, next: undefined, wake() {} };
    this.#lanes.set(name, lane);
    for (;;) {
      const { current } = lane;
      current.run();
      await current.outcome.catch(() => {});
      current.isOver = true;
      if (!current.isInDoubt) current.lease?.release();
      while (current.isInDoubt && lane.next?.key !== current.key) {
        const woken = new AbortController();
        lane.wake = () => woken.abort();
        await current.settled(woken.signal);
      }
      const { next } = lane;
      if (next && current.isInDoubt) next.takeOver(current);
      else current.lease?.release();
      if (!next) break;
      lane.current = next;
      lane.next = undefined;
    }
    this.#lanes.delete(name);
  }
}

async function resultOf(entry: Entry, client: Client, isMerged: boolean): Promise<Result<Written>> {
  const outcome = await entry.waiters.join(() => entry.outcome, client);
  return { outcome, retried: entry.retried, isMerged };
}
