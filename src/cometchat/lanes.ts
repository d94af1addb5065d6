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

/** A change that has come, and has no place in its lane yet. */
interface Arrival {
  readonly address: Address;
  readonly change: Change;
  readonly client: Client;
  answer(result: Result<Written> | Promise<Result<Written>>): void;
}

/** The arrivals of a lane that wait for Redis, in their order. */
interface Arrivals {
  last: Promise<void>;
  /** A replace came after them. */
  areSuperseded: boolean;
}

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
  readonly #arriving = new Map<string, Arrivals>();

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
    const { promise, resolve: answer } = Promise.withResolvers<Result<Written>>();
    const lane = laneName(requester, target);
    const arrival = { address: { lane, target, requester }, change, client: requester, answer };
    const arrivals = this.#arriving.get(lane);
    const entry = this.#entryFor(arrival);
    if (change.kind === 'replace' && !entry) {
      const hasBegun = this.#begin(arrival);
      if (hasBegun && arrivals) {
        arrivals.areSuperseded = true;
        this.#arriving.delete(lane);
      }
    } else if (arrivals || entry?.lease) this.#askFor(arrival, arrivals);
    else this.#place(arrival, entry);
    return promise;
  }

  /**
   * Gives an arrival its place after those before it, and after Redis was asked: where another replica has taken a replace since,
   * the change came after that, and is no part of what waits here.
   */
  #askFor(arrival: Arrival, arrivals: Arrivals = { last: Promise.resolve(), areSuperseded: false }): void {
    const { lane } = arrival.address;
    this.#arriving.set(lane, arrivals);
    const placed = arrivals.last.then(async () => {
      const lease = this.#entryFor(arrival)?.lease;
      const isNewest = !lease || (await lease.isNewest());
      if (arrivals.areSuperseded) arrival.answer(ended(SUPERSEDED));
      else this.#place(arrival, isNewest ? this.#entryFor(arrival) : undefined);
      if (arrivals.last === placed && !arrivals.areSuperseded) this.#arriving.delete(lane);
    });
    arrivals.last = placed;
  }

  #place(arrival: Arrival, entry: Entry | undefined): void {
    const { change, client, answer } = arrival;
    if (!entry) this.#begin(arrival);
    else if (isEqual(entry.lastChange, change)) {
      this.#joined.inc();
      answer(entry.resultFor(entry.lastChange, client, true));
    } else {
      this.#composed.inc();
      entry.add(change);
      answer(entry.resultFor(change, client));
    }
  }

  /** The write that a change can be part of: one that ends with an equal change, or one that waits, for a merge. */
  #entryFor({ address, change }: Arrival): Entry | undefined {
    const { current, next } = this.#lanes.get(address.lane) ?? {};
    const newest = next ?? current;
    if (!newest?.isOpen) return undefined;
    const isAddable = newest === next && change.kind === 'merge';
    return isAddable || isEqual(newest.lastChange, change) ? newest : undefined;
  }

  /** @returns whether a write has begun: one that would be refused anyway supersedes nothing */
  #begin({ address, change, client, answer }: Arrival): boolean {
    const refusal = this.#options.refusal(address.requester, address.target);
    if (refusal) {
      answer(ended(refusal));
      return false;
    }
    const lane = this.#lanes.get(address.lane);
    const entry = new Entry(address, change, this.#options);
    const before = (lane?.next ?? lane?.current)?.lease;
    if (before) entry.lease?.follow(before);
    answer(entry.resultFor(change, client));
    entry.begin(!lane);
    if (!lane) void this.#run(address.lane, entry);
    else {
      if (change.kind === 'replace') lane.current.waiters.end(SUPERSEDED);
      lane.next?.waiters.end(SUPERSEDED);
      lane.next?.lease?.end();
      lane.next = entry;
      lane.wake();
    }
    return true;
  }

  async #run(name: string, first: Entry): Promise<void> {
    const lane: Lane = { current: first, next: undefined, wake() {} };
    this.#lanes.set(name, lane);
    for (;;) {
      const { current } = lane;
      await current.proceed();
      // While its last attempt may still land, a different write waits.
      while (current.doubt.isOpen && !lane.next?.repeats(current)) {
        const woken = new AbortController();
        lane.wake = () => woken.abort();
        await current.doubt.untilOver(woken.signal);
      }
      const { next } = lane;
      if (next && current.doubt.isOpen) next.continueFrom(current);
      else current.lease?.end();
      if (!next) break;
      lane.current = next;
      lane.next = undefined;
    }
    this.#lanes.delete(name);
  }
}

const ended = (outcome: Failure): Result<never> => ({ outcome, retried: [], isJoined: false });

const isEqual = (one: Change, other: Change): boolean => JSON.stringify(one) === JSON.stringify(other);
