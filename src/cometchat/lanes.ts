import type { Metrics } from '../base/services.ts';
import type { Client, Requester, Result } from './call.ts';
import type { Change } from './change.ts';
import { type Address, Entry, type EntryOptions, type Written } from './entry.ts';
import type { Target } from './operations.ts';
import { type Failure, SUPERSEDED } from './outcome.ts';

/** The queue of one user's writes to one conversation. */
interface Lane {
  current: Entry;
  /** All changes that came meanwhile and still count. */
  next: Entry | undefined;
  /** Ends the wait for an attempt in doubt, so that the lane looks at `next`. */
  wake(): void;
}

interface LanesOptions extends Omit<EntryOptions, 'onAbsentTags' | 'inDoubtMs'> {
  /** @returns the reason where this user's call cannot be sent now */
  readonly refusal: (requester: Requester, target: Target) => Failure | undefined;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  readonly metrics: Metrics;
}

type Answer = (result: Result<Written> | Promise<Result<Written>>) => void;

const laneName = ({ onBehalfOf }: Requester, { type, id }: Target) => `${onBehalfOf}:${type}:${id}`;

/**
 * Sends the writes of each lane one at a time. Of the changes that wait, a replace supersedes what came before it, and a merge is
 * added to that. Equal ones are sent once.
 */
export class Lanes {
  readonly #options: LanesOptions & EntryOptions;
  readonly #joined;
  readonly #composed;
  readonly #lanes = new Map<string, Lane>();
  /** The change of each lane that came last and has no place yet. */
  readonly #arriving = new Map<string, Promise<void>>();

  constructor(options: LanesOptions) {
    const { metrics, attemptTimeoutMs, deadlineMs } = options;
    this.#joined = metrics.counter(
      'joined_writes_total',
      'Changes that were equal to one under way, and got its answer',
    );
    this.#composed = metrics.counter(
      'composed_writes_total',
      'Changes of single tags that were sent together with the change that waited before them',
    );
    const absent = metrics.counter(
      'tags_absent_total',
      'Conversations without tags in replies of CometChat that single tags were changed by: taken to have none',
    );
    this.#options = {
      ...options,
      // Half a deadline is left for the write that waits. The lease covers no more than attemptTimeoutMs.
      inDoubtMs: Math.min(attemptTimeoutMs, deadlineMs / 2),
      onAbsentTags: () => absent.inc(),
    };
  }

  /** @returns what became of the change; never throws for anything that CometChat, the network or Redis does */
  write(target: Target, change: Change, requester: Requester & Client): Promise<Result<Written>> {
    const lane = laneName(requester, target);
    const { promise, resolve } = Promise.withResolvers<Result<Written>>();
    const place = () => this.#place({ lane, target, requester }, change, requester, resolve);
    // Changes take their places in the order in which they came, and the one before may still wait for Redis.
    const before = this.#arriving.get(lane);
    const placed = before ? before.then(place) : place();
    if (placed) this.#waitFor(lane, placed);
    return promise;
  }

  #waitFor(lane: string, placed: Promise<void>): void {
    const arriving = placed.finally(() => {
      if (this.#arriving.get(lane) === arriving) this.#arriving.delete(lane);
    });
    this.#arriving.set(lane, arriving);
  }

  /** Gives a change its place, at once where Redis need not be asked. */
  #place(address: Address, change: Change, client: Client, answer: Answer): Promise<void> | undefined {
    const asked = this.#entryFor(address.lane, change)?.lease;
    const place = (isNewest: boolean) => {
      const entry = isNewest ? this.#entryFor(address.lane, change) : undefined;
      if (!entry) this.#begin(address, change, client, answer);
      else if (isEqual(entry.lastChange, change)) {
        this.#joined.inc();
        answer(entry.resultFor(entry.lastChange, client, true));
      } else {
        this.#composed.inc();
        entry.add(change);
        answer(entry.resultFor(change, client));
      }
    };
    // Where another replica has taken a replace since, this change came after that, and is sent after it.
    if (asked) return asked.isNewest().then(place);
    place(true);
    return undefined;
  }

  /** The write that a change can be part of: one that ends with an equal change, or a merge's that waits. */
  #entryFor(name: string, change: Change): Entry | undefined {
    const { current, next } = this.#lanes.get(name) ?? {};
    const newest = next ?? current;
    if (!newest?.isOpen) return undefined;
    const isAddable = newest === next && change.kind === 'merge';
    return isAddable || isEqual(newest.lastChange, change) ? newest : undefined;
  }

  #begin(address: Address, change: Change, client: Client, answer: Answer): void {
    const refusal = this.#options.refusal(address.requester, address.target);
    if (refusal) return answer({ outcome: refusal, retried: [], isJoined: false });
    const lane = this.#lanes.get(address.lane);
    const entry = new Entry(address, change, this.#options);
    answer(entry.resultFor(change, client));
    entry.begin();
    if (!lane) {
      void this.#run(address.lane, entry);
      return;
    }
    if (change.kind === 'replace') lane.current.waiters.end(SUPERSEDED);
    lane.next?.waiters.end(SUPERSEDED);
    lane.next?.lease?.end();
    lane.next = entry;
    // Among all replicas, writes are in the order of their arrival, and not of their turns.
    entry.lease?.register();
    lane.wake();
  }

  async #run(name: string, first: Entry): Promise<void> {
    const lane: Lane = { current: first, next: undefined, wake() {} };
    this.#lanes.set(name, lane);
    for (;;) {
      const { current } = lane;
      await current.proceed();
      // While its last attempt may still land, a different write waits.
      while (current.isInDoubt && !lane.next?.repeats(current)) {
        const woken = new AbortController();
        lane.wake = () => woken.abort();
        await current.untilSure(woken.signal);
      }
      const { next } = lane;
      if (next && current.isInDoubt) next.continueFrom(current);
      else current.lease?.end();
      if (!next) break;
      lane.current = next;
      lane.next = undefined;
    }
    this.#lanes.delete(name);
  }
}

const isEqual = (one: Change, other: Change): boolean => JSON.stringify(one) === JSON.stringify(other);
