import type { RedisClient, Services } from '../base/services.ts';
import { MINUTE_MS, MinuteCounter, minuteAt, type Tally } from '../redis/minute-counter.ts';
import type { Send } from './call.ts';
import { type Failure, type Outcome, type QuotaReport, rejected, TURN_LOST } from './outcome.ts';

/** Exists in Redis as long as the quota is used up, for the other replicas to see. */
const CLOSED = 'quota:closed';

/**
 * Keeps the app's quota of CometChat's calls: shared fairly among the users, and not used any further when it is gone. Counted
 * in Redis where there is one; in this process where there is none, or while it is unavailable.
 */
export class Quota {
  readonly #limit: number;
  readonly #services: Services;
  readonly #counter: MinuteCounter;
  readonly #shareRefusals;
  #report: { limit: number; remaining: number; until: number } | undefined;
  #closedUntil = 0;
  /** How many calls of which minute were left when it was last asked for one. */
  #seen: { minute: number; left: number } | undefined;
  /** Calls that CometChat has not answered yet. */
  #inFlight = 0;

  /** @param callsPerMinute of the whole app */
  constructor(callsPerMinute: number, services: Services) {
    this.#limit = callsPerMinute;
    this.#services = services;
    this.#counter = new MinuteCounter('quota:v2', 'quota', services);
    this.#shareRefusals = services.metrics.counter(
      'quota_share_refusals_total',
      'Calls that ended because their user had used up a fair share of the quota, while some was left for others',
    );
    services.metrics.gauge('quota_calls_left', 'Calls that are left of this minute’s quota', [], (gauge) =>
      gauge.set(this.callsLeft),
    );
  }

  /** @returns why no call of any user can be made now */
  refusal(): Failure | undefined {
    const left = this.#closedUntil - this.#now();
    // Longer than it ever is: the clock was set back.
    return left > 0 && left <= MINUTE_MS ? busy(left) : undefined;
  }

  /**
   * The step: a call that is not sent after all is given back. A write asks for its turn among all replicas at the same time,
   * and counts while it waits for that.
   */
  around(send: Send): Send {
    return async (call) => {
      const acquired = call.turn?.acquire();
      const tally = await this.#counter.add(call.onBehalfOf, (redis) => this.#lookUp(redis));
      const refusal = (acquired && (await acquired)) ?? this.#refusalOf(tally);
      if (refusal) {
        tally.takeBack();
        return refusal;
      }
      this.#inFlight += 1;
      const outcome = await send(call).finally(() => {
        this.#inFlight -= 1;
      });
      if (!outcome.ok && outcome.isLocal) tally.takeBack();
      else this.#learn(outcome);
      return outcome;
    };
  }

  /** How many calls are left of this minute's quota, as far as this replica knows. */
  get callsLeft(): number {
    if (this.refusal()) return 0;
    return this.#seen?.minute === minuteAt(this.#now()).number ? this.#seen.left : this.#limit;
  }

  /** @returns why a call that was counted must not be made, with the seconds until it may */
  #refusalOf({ minute, count, total }: Tally): Failure | undefined {
    const { number, elapsedMs } = minuteAt(this.#now());
    // The turn has come in a later minute, whose quota the call will use.
    if (number !== minute) return TURN_LOST;
    const { limit, spent } = this.#asReported(total - 1);
    const wait = waitForShare({ limit, spent, mine: count - 1, elapsedMs });
    const closed = this.refusal();
    const refusal = closed ?? (wait > 0 ? busy(wait) : undefined);
    if (refusal && !closed && spent < limit) this.#shareRefusals.inc();
    this.#seen = { minute, left: Math.max(0, limit - spent - (refusal ? 0 : 1)) };
    return refusal;
  }

  /** Finds out whether another replica has seen that the quota is used up. */
  async #lookUp(redis: RedisClient): Promise<void> {
    const closedMs = await redis.pttl(CLOSED);
    if (!Number.isSafeInteger(closedMs)) throw new Error('Redis has not told the time');
    if (closedMs > 0) this.#closeFor(Math.min(closedMs, MINUTE_MS));
  }

  /** Believes what a reply says of the quota, for a minute at most: CometChat counts by the minute. */
  #learn(outcome: Outcome<unknown>): void {
    const { quota } = outcome;
    if (quota) this.#believe(quota);
    if (!outcome.ok && outcome.problem === 'cometchat-busy' && outcome.retryAfterSeconds) {
      this.#close(outcome.retryAfterSeconds * 1000);
    }
  }

  #believe({ limit, remaining, reset }: QuotaReport): void {
    const until = Math.min(reset * 1000, this.#now() + MINUTE_MS);
    this.#report = { limit, remaining, until };
    if (remaining === 0) this.#close(until - this.#now());
  }

  #close(ms: number): void {
    const hold = Math.min(ms, MINUTE_MS);
    if (hold <= 0 || !this.#closeFor(hold)) return;
    // If Redis does not take it, the others find out for themselves.
    this.#services.redis?.set(CLOSED, 1, 'PX', Math.ceil(hold)).catch(() => {});
  }

  /** @returns whether it was not closed for as long already */
  #closeFor(ms: number): boolean {
    const until = this.#now() + ms;
    const isLonger = until > this.#closedUntil || this.refusal() === undefined;
    if (isLonger) this.#closedUntil = until;
    return isLonger;
  }

  /** CometChat also counts callers that this gateway does not know: the company's own back end, for example. */
  #asReported(spent: number): { limit: number; spent: number } {
    const left = (this.#report?.until ?? 0) - this.#now();
    if (!this.#report || left <= 0 || left > MINUTE_MS) return { spent, limit: this.#limit };
    const limit = Math.min(this.#report.limit, this.#limit);
    return { limit, spent: Math.max(spent, limit - this.#report.remaining + this.#inFlight) };
  }

  #now(): number {
    return this.#services.seams.now();
  }
}

/** How the quota of the running minute stands, for one user's next call. */
export interface Spending {
  /** Calls that the app has in a minute, and those made in this one. */
  readonly limit: number;
  readonly spent: number;
  /** Calls that this user has made in it. */
  readonly mine: number;
  /** How much of the minute is over. */
  readonly elapsedMs: number;
}

/**
 * Decides whether a user may have one more call of the quota. The smaller the part that is then left, the smaller the part that
 * one user may have had: its square at most. So whatever the others have taken, something is left for whoever comes next, and a
 * first call may always be made. Beyond its share a user gets what the minute has brought so far: alone it gets the whole quota
 * in time.
 *
 * @returns milliseconds until the call may be asked for again; 0 where it may be made now
 */
export function waitForShare({ limit, spent, mine, elapsedMs }: Spending): number {
  if (spent >= limit) return MINUTE_MS - elapsedMs;
  const left = limit - spent - 1;
  if (mine === 0 || (mine + 1) / limit <= (left / limit) ** 2) return 0;
  return Math.max(0, ((spent + 1) * MINUTE_MS) / limit - elapsedMs);
}

const busy = (ms: number): Failure => rejected('cometchat-busy', Math.ceil(ms / 1000));
