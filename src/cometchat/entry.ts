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
import { applyAll, type Change, isSame } from './change.ts';
import type { UpstreamConversation } from './conversation.ts';
import type { Lease, Leased } from './lease.ts';
import { getTags, setTags, type Target } from './operations.ts';
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
  readonly #address: Address;
  readonly #options: EntryOptions;
  readonly #changes: Change[];
  readonly #outcome = Promise.withResolvers<Outcome<Written>>();
  /** Resolved when its turn in this process has come, or it has ended. */
  readonly #turn = Promise.withResolvers<void>();
  /** Of the first attempt. */
  #acquired: Promise<Failure | undefined> | undefined;
  #isOver = false;
  #refused: ReadonlySet<Change> = new Set();
  #startedAt = 0;
  /** The body of the attempt that was started last; undefined where that was a read. */
  #sent: string | undefined;
  /** The grant of the lease under which the tags were read. */
  #readUnder: number | undefined;
  /** The latest attempt in doubt. */
  #doubt: { readonly body: string | undefined; readonly until: number } = { body: undefined, until: 0 };
  /** The next attempt waits until no attempt is in doubt. */
  #isWaiting = false;

  constructor(address: Address, change: Change, options: EntryOptions) {
    this.#address = address;
    this.#changes = [change];
    this.#options = options;
    this.waiters = new Waiters(options.clock);
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
      return outcome.ok && this.#refused.has(change) ? TOO_MANY_TAGS : outcome;
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
    if (isFirst) this.#acquired = this.#acquire();
    else this.lease?.register();
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
    if (this.#isWaiting) await this.untilSure(this.waiters.ended);
    this.#isWaiting = false;
    if (this.waiters.ended.aborted) return this.waiters.ended.reason as Failure;
    const outcome = await (this.kind === 'replace' ? this.#send(this.#write()) : this.#readAndWrite());
    if (!outcome.ok) this.#hasFailed(outcome);
    return outcome;
  }

  acquire(): Promise<Failure | undefined> | undefined {
    const acquired = this.#acquired ?? this.#acquire();
    this.#acquired = undefined;
    return acquired;
  }

  start({ body }: Operation<unknown>): Failure | undefined {
    if (this.lease && !this.lease.isHeld) return TURN_LOST;
    if (body === undefined) this.#readUnder = this.lease?.grant;
    else {
      // Another replica may have written since the tags were read.
      if (this.kind === 'merge' && this.lease?.grant !== this.#readUnder) return TURN_LOST;
      this.#isWaiting = this.isInDoubt && this.#doubt.body !== body;
      if (this.#isWaiting) return TURN_LOST;
    }
    this.#startedAt = this.#options.clock.now();
    this.#sent = body;
    return undefined;
  }

  /** Whether an attempt whose outcome is unknown may still land. */
  get isInDoubt(): boolean {
    return this.#doubt.until > this.#options.clock.now();
  }

  /** Waits until no attempt is in doubt, or `woken` is aborted. */
  async untilSure(woken: AbortSignal): Promise<void> {
    await this.#options.clock.wait(Math.max(0, this.#doubt.until - this.#options.clock.now()), woken);
  }

  /** Whether it does no harm if this write and an attempt in doubt of the one before it land in either order. */
  repeats(before: Entry): boolean {
    return this.kind === 'replace' && this.#write().body === before.#doubt.body;
  }

  /** Takes over the doubt and the lease of the entry before it. */
  continueFrom(before: Entry): void {
    this.#doubt = before.#doubt;
    if (this.lease) before.lease?.transfer(this.lease);
  }

  #acquire(): Promise<Failure | undefined> | undefined {
    return this.lease?.acquire(this.waiters.ended);
  }

  /** @param before the tags as they were read; a replace needs none */
  #write(before: readonly string[] = []): Operation<Written> {
    const { tags, refused } = applyAll(this.#changes, before);
    this.#refused = refused;
    return setTags(this.#address.target, tags);
  }

  async #readAndWrite(): Promise<Outcome<Written>> {
    const read = await this.#send(getTags(this.#address.target));
    if (!read.ok) return read;
    const [conversation] = read.value as [UpstreamConversation];
    if (!conversation.tags) this.#options.onAbsentTags();
    const before = conversation.tags ?? [];
    const { tags, refused } = applyAll(this.#changes, before);
    this.#refused = refused;
    if (isSame(tags, before)) return { ...read, value: [{ ...conversation, tags: before }] };
    return this.#send(setTags(this.#address.target, tags));
  }

  #send(operation: Operation<Written>): Promise<Outcome<Written>> {
    return this.#options.send(callOf(operation, this.#address.requester, this.waiters, this));
  }

  #hasFailed({ isInDoubt, retryAfterSeconds }: Failure): void {
    if (isInDoubt && this.#sent !== undefined)
      this.#doubt = { body: this.#sent, until: this.#startedAt + this.#options.inDoubtMs };
    // While this one waits for Retry-After, a newer write of another replica may be sent.
    if (retryAfterSeconds && !this.isInDoubt) this.lease?.release();
  }
}
