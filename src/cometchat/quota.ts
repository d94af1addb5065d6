import type { Redis } from 'ioredis';
import { MINUTE_MS, minuteAt } from '../base/minute.ts';
import { sharedOrLocal } from '../redis/shared-or-local.ts';
import { ended, type Failure } from './call.ts';
import type { Edges } from './edges.ts';
import { waitForShare } from './fair-share.ts';
import type { QuotaReport } from './quota-headers.ts';
import { type Count, LocalLedger, RedisLedger } from './quota-ledger.ts';

/** There as long as the quota is used up, for the other replicas to see. */
const CLOSED = 'quota:closed';

/**
 * Keeps the app's quota of CometChat's calls: shared fairly among the users, and not burnt any further when it is
 * used up. Counted in Redis where there is one, in this process where there is none or while it cannot be asked.
 */
export class Quota {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #redis: Redis | undefined;
  readonly #metrics: Edges['metrics'];
  readonly #local = new LocalLedger();
  readonly #shared: RedisLedger | undefined;
  readonly #together: ReturnType<typeof sharedOrLocal>;
  #report: { limit: number; remaining: number; until: number } | undefined;
  #closedUntil = 0;
  /** How many calls of which minute were left when it was last asked for one. */
  #seen: { minute: number; left: number } | undefined;

  /**
   * @param callsPerMinute of the whole app
   * @param now the clock, in UNIX milliseconds
   */
  constructor(callsPerMinute: number, now: () => number, edges: Edges) {
    this.#limit = callsPerMinute;
    this.#now = now;
    this.#redis = edges.redis;
    this.#metrics = edges.metrics;
    this.#shared = edges.redis && new RedisLedger(edges.redis);
    this.#together = sharedOrLocal('quota', edges);
    edges.metrics.showQuota(() => this.callsLeft);
  }

  /** @returns why no call can be made now, whoever asks; undefined where one might */
  refusal(): Failure | undefined {
    const left = this.#closedUntil - this.#now();
    // Longer than it ever is: the clock was set back.
    return left > 0 && left <= MINUTE_MS ? busy(left) : undefined;
  }

  /**
   * Takes a call of the quota.
   *
   * @param user whose call it is
   * @param inFlight the calls that CometChat has not answered yet
   * @returns why it must not be made, with the seconds until it may; or the way to give it back, if it is not
   *   made after all
   */
  async take(user: string, inFlight: number): Promise<Failure | (() => void)> {
    const now = this.#now();
    const { count, giveBack } = await this.#count(user, now);
    const spending = this.#asReported(count, inFlight);
    const wait = waitForShare({ ...spending, elapsedMs: now % MINUTE_MS });
    const closed = this.refusal();
    const refusal = closed ?? (wait > 0 ? busy(wait) : undefined);
    if (refusal && !closed && spending.spent < spending.limit) this.#metrics.quotaShareRefusals.inc();
    const left = spending.limit - spending.spent - (refusal ? 0 : 1);
    this.#seen = { minute: minuteAt(now).number, left: Math.max(0, left) };
    if (refusal) giveBack();
    return refusal ?? giveBack;
  }

  /** Believes what a reply says of the quota, for a minute at most: CometChat counts by the minute. */
  learn({ limit, remaining, reset }: QuotaReport): void {
    const until = Math.min(reset * 1000, this.#now() + MINUTE_MS);
    this.#report = { limit, remaining, until };
    if (remaining === 0) this.#close(until - this.#now());
  }

  /** CometChat has refused a call for want of quota, for so many seconds. */
  exhausted(seconds: number): void {
    this.#close(seconds * 1000);
  }

  /** How many calls are left of this minute's quota, as far as is known here. */
  get callsLeft(): number {
    if (this.refusal()) return 0;
    return this.#seen?.minute === minuteAt(this.#now()).number ? this.#seen.left : this.#limit;
  }

  #close(ms: number): void {
    const hold = Math.min(ms, MINUTE_MS);
    if (hold <= 0 || !this.#closeFor(hold)) return;
    // If Redis does not take it, the others find out for themselves.
    this.#redis?.set(CLOSED, 1, 'PX', Math.ceil(hold)).catch(() => {});
  }

  /** @returns whether it was not closed for as long already */
  #closeFor(ms: number): boolean {
    const until = this.#now() + ms;
    const isLonger = until > this.#closedUntil || this.refusal() === undefined;
    if (isLonger) this.#closedUntil = until;
    return isLonger;
  }

  async #count(user: string, now: number): Promise<{ count: Count; giveBack: () => void }> {
    const local = () => {
      // It may be a new minute by the time that Redis has not answered.
      const at = this.#now();
      return { count: this.#local.take(user, at), giveBack: () => this.#local.giveBack(user, at) };
    };
    const [redis, shared] = [this.#redis, this.#shared];
    if (!redis || !shared) return local();
    return this.#together(async () => {
      const [count, closedMs] = await Promise.all([shared.take(user, now), redis.pttl(CLOSED)]);
      if (closedMs > 0) this.#closeFor(Math.min(closedMs, MINUTE_MS));
      return { count, giveBack: () => shared.giveBack(user, now) };
    }, local);
  }

  /** CometChat knows of callers that this gateway does not: the company's own back end, say. */
  #asReported(count: Count, inFlight: number): Count & { limit: number } {
    const left = (this.#report?.until ?? 0) - this.#now();
    if (!this.#report || left <= 0 || left > MINUTE_MS) return { ...count, limit: this.#limit };
    const limit = Math.min(this.#report.limit, this.#limit);
    return { ...count, limit, spent: Math.max(count.spent, limit - this.#report.remaining + inFlight) };
  }
}

const busy = (ms: number): Failure => ended('cometchat-busy', Math.ceil(ms / 1000));
