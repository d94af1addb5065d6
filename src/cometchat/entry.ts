import type { Clock } from '../base/clock.ts';
import {
  type Client,
  callOf,
  type Job,
  type Operation,
  type Requester,
  type Result,
  type Run,
  type Send,
  type Turn,
  Waiters,
} from './call.ts';
import { type Applied, applyAll, type Change, isSame, isTooLarge, mergeInto } from './change.ts';
import type { UpstreamConversation } from './conversation.ts';
import { Doubt } from './doubt.ts';
import type { Lease, Leased } from './lease.ts';
import { getForMerge, setTags, type Target } from './operations.ts';
import { type Failure, type Outcome, TOO_MANY_TAGS, TURN_LOST } from './outcome.ts';

export type Written = UpstreamConversation[];

export interface EntryOptions {
  /** Sends an operation once. */
  readonly send: Send;
  /** Makes attempts until one succeeds, or there shall be no other. */
  readonly run: Run;
  /** Makes a lease, where replicas share a Redis. */
  readonly leaseOf: ((lane: string, write: Leased) => Lease) | undefined;
  /** How long an attempt in doubt delays a different write, counted from the start of the attempt. */
  readonly inDoubtMs: number;
  /** Called for a merge whose conversation came without tags. */
  readonly onAbsentTags: () => void;
  readonly clock: Clock;
}

/** Where a write goes, and in whose name. */
export interface Address {
  readonly lane: string;
  readonly target: Target;
  readonly requester: Requester;
}

/** One write on its way to CometChat: a change, and those that were added while it waited, for the clients of all of them. */
export class Entry implements Job<Written>, Turn, Leased {
  readonly waiters: Waiters;
  readonly lease: Lease | undefined;
  readonly doubt: Doubt;
  readonly #address: Address;
  readonly #options: EntryOptions;
  readonly #changes: Change[];
  readonly #outcome = Promise.withResolvers<Outcome<Written>>();
  /** Resolved when its turn in this process has come, or it has ended. */
  readonly #turn = Promise.withResolvers<void>();
  /** Of the first attempt. */
  #acquired: Promise<Failure | undefined> | undefined;
  #isOver = false;
  /** The grant of the lease under which the tags were read. */
  #readUnder: number | undefined;
  #applied: Applied = applyAll([], []);
  #hasWritten = false;
  /** The next attempt waits until none is in doubt. */
  #mustWait = false;

  constructor(address: Address, change: Change, options: EntryOptions) {
    this.#address = address;
    this.#changes = [change];
    this.#options = options;
    this.waiters = new Waiters(options.clock);
    this.doubt = new Doubt(options.clock, options.inDoubtMs);
    this.lease = options.leaseOf?.(address.lane, this);
    this.waiters.ended.addEventListener('abort', this.#turn.resolve as () => void);
  }

  /** That of the first change: only a merge can follow another change. */
  get kind(): Change['kind'] {
    return (this.#changes[0] as Change).kind;
  }

  get deadline(): number {
    return this.waiters.deadline;
  }

  /** Whether clients may still join it. Its last attempt may be in doubt even if not. */
  get isOpen(): boolean {
    return !this.#isOver && !this.waiters.ended.aborted;
  }

  get lastChange(): Change {
    return this.#changes.at(-1) as Change;
  }

  add(change: Change): void {
    this.#changes.push(change);
  }

  /** Waits, for a client, for the outcome of one of its changes. */
  async resultFor(change: Change, client: Client, isJoined = false): Promise<Result<Written>> {
    const outcome = await this.waiters.join(async () => {
      const outcome = await this.#outcome.promise;
      return outcome.ok && this.#applied.refused.has(change) ? TOO_MANY_TAGS : outcome;
    }, client);
    return { outcome, retried: this.waiters.retried, isJoined };
  }

  /**
   * Takes its place among the calls in hand, and waits for its turn. The first client must have joined.
   *
   * @param isFirst of its lane in this process
   */
  begin(isFirst: boolean): void {
    // Among all replicas, writes are in the order of their arrival. So Redis is told at once, before anything is awaited.
    if (isFirst) this.#acquired = this.lease?.acquire(this.waiters.ended);
    else this.lease?.register(this.waiters.ended);
    this.#outcome.resolve(this.#options.run(this));
  }

  /** Its turn in this process has come. Resolves when its outcome is known. */
  async proceed(): Promise<void> {
    this.#turn.resolve();
    await this.#outcome.promise.catch(() => {});
    this.#isOver = true;
  }

  async attempt(): Promise<Outcome<Written>> {
    await this.#turn.promise;
    if (this.#mustWait) await this.doubt.untilOver(this.waiters.ended);
    this.#mustWait = false;
    if (this.waiters.ended.aborted) return this.waiters.ended.reason as Failure;
    const outcome = await (this.kind === 'merge'
      ? this.#readAndWrite()
      : this.#send(this.#operation(this.#apply([]))));
    if (!outcome.ok) this.#hasFailed(outcome);
    return outcome;
  }

  acquire(): Promise<Failure | undefined> | undefined {
    const acquired = this.#acquired ?? this.lease?.acquire(this.waiters.ended);
    this.#acquired = undefined;
    return acquired;
  }

  start({ body }: Operation<unknown>): Failure | undefined {
    if (this.lease && !this.lease.isHeld) return TURN_LOST;
    if (body === undefined) this.#readUnder = this.lease?.grant;
    else {
      // Another replica may have written since the tags were read.
      if (this.kind === 'merge' && this.lease?.grant !== this.#readUnder) return TURN_LOST;
      this.#mustWait = this.doubt.isOpen && !this.doubt.isAbout(body);
      if (this.#mustWait) return TURN_LOST;
    }
    this.doubt.start(body);
    this.#hasWritten ||= body !== undefined;
    return undefined;
  }

  /** Whether it does no harm if this write and an attempt in doubt of the one before it land in either order. */
  repeats({ doubt }: Entry): boolean {
    return this.kind === 'replace' && doubt.isAbout(this.#operation(applyAll(this.#changes, []).tags).body);
  }

  /** Takes over the doubt and the lease of the entry before it. */
  continueFrom({ doubt, lease }: Entry): void {
    this.doubt.takeOver(doubt);
    if (this.lease) lease?.transfer(this.lease);
  }

  async #readAndWrite(): Promise<Outcome<Written>> {
    const read = await this.#send(getForMerge(this.#address.target));
    if (!read.ok) return read;
    const [conversation] = read.value as [UpstreamConversation];
    if (!conversation.tags) this.#options.onAbsentTags();
    const before = conversation.tags ?? [];
    // CometChat may have taken an earlier attempt: applied to that, a change could be refused that was not.
    const again = this.#hasWritten ? mergeInto(before, this.#applied.merge) : undefined;
    const tags = again && !isTooLarge(again, before) ? again : this.#apply(before);
    if (isSame(tags, before)) return { ...read, value: [{ ...conversation, tags: before }] };
    return this.#send(this.#operation(tags));
  }

  #apply(before: readonly string[]): readonly string[] {
    this.#applied = applyAll(this.#changes, before);
    return this.#applied.tags;
  }

  #operation(tags: readonly string[]): Operation<Written> {
    return setTags(this.#address.target, tags);
  }

  #send(operation: Operation<Written>): Promise<Outcome<Written>> {
    return this.#options.send(callOf(operation, this.#address.requester, this.waiters, this));
  }

  #hasFailed({ isInDoubt, retryAfterSeconds }: Failure): void {
    if (isInDoubt) this.doubt.open();
    // While this one waits for Retry-After, another replica may write; not between two writes of a merge, if the first may have landed.
    const mayYield = !this.doubt.isOpen && !(this.kind === 'merge' && this.#hasWritten);
    if (retryAfterSeconds && mayYield) this.lease?.release();
  }
}
