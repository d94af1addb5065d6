import type { ProblemCode } from '../base/problems.ts';
import type { Services } from '../base/services.ts';
import { type Run, SHORTEST_ATTEMPT_MS } from './call.ts';
import { type Failure, TURN_LOST } from './outcome.ts';

/** The longest random waits before the second and the third attempt: together longer than a short restart. */
const LONGEST_DELAYS_MS = [200, 600];

/**
 * Problems that tell the client that nothing was changed. Where an earlier attempt has failed in another way, nobody knows
 * that: the client is told of the earlier failure.
 */
const NOTHING_CHANGED: ReadonlySet<ProblemCode> = new Set(['cometchat-busy', 'cometchat-unavailable']);

/** Makes another attempt where that may help, within the deadline and the budget. */
export function withRetries({ metrics, seams: { random, clock } }: Services): Run {
  const retries = metrics.counter('retries_total', 'Attempts that followed a failed one');
  const withheld = metrics.counter(
    'retries_withheld_total',
    'Retries that were not made because the retry budget was used up',
  );
  const budget = new RetryBudget();
  return async (job) => {
    const { waiters } = job;
    let failed: Failure | undefined;
    /** What the client is told if no other attempt follows. */
    let told: Failure | undefined;
    let attempt = 1;
    for (;;) {
      const outcome = await job.attempt();
      if (outcome === TURN_LOST) continue;
      const isLocal = !outcome.ok && outcome.isLocal;
      if (!isLocal && failed) {
        retries.inc();
        waiters.retried.push(failed.errorType);
      } else if (!isLocal) {
        budget.countCall(clock.now());
      }
      if (outcome.ok) return outcome;
      told = told && NOTHING_CHANGED.has(outcome.problem) ? told : outcome;
      if (isLocal || !outcome.isTransient) return told;
      if (waiters.ended.aborted) return waiters.ended.reason as Failure;
      const delay = retryDelay(attempt, outcome, waiters.deadline - clock.now(), random());
      if (delay === undefined) return told;
      if (!budget.spend(clock.now())) {
        withheld.inc();
        return told;
      }
      await clock.wait(delay, waiters.ended);
      failed = outcome;
      attempt += 1;
    }
  };
}

/**
 * Decides whether a failed attempt is followed by another one, and when.
 *
 * @param attempt its number, from 1 on
 * @param timeLeftMs until the deadline
 * @param random from 0 to 1, of the delay beside Retry-After ("full jitter"), so that calls that failed together do not come
 *   back together
 * @returns milliseconds to wait; undefined where there shall be no other attempt
 */
export function retryDelay(
  attempt: number,
  { isTransient, retryAfterSeconds = 0 }: Pick<Failure, 'isTransient' | 'retryAfterSeconds'>,
  timeLeftMs: number,
  random: number,
): number | undefined {
  const longest = LONGEST_DELAYS_MS[attempt - 1];
  if (longest === undefined || !isTransient) return undefined;
  const delay = retryAfterSeconds * 1000 + random * longest;
  return delay + SHORTEST_ATTEMPT_MS <= timeLeftMs ? delay : undefined;
}

const WINDOW_MS = 10_000;
/** So that an app that is hardly used gets its retries too. */
const RESERVE = 10;
const SHARE = 0.1;

/**
 * Allows ten retries, and one more for every ten calls, of the last ten to twenty seconds: in an outage, when every call
 * fails, retries must not double the load on CometChat.
 */
export class RetryBudget {
  #window = { number: 0, calls: 0, retries: 0 };
  #before = { calls: 0, retries: 0 };

  /** @param now in milliseconds, of any clock that does not go back */
  countCall(now: number): void {
    this.#at(now).calls += 1;
  }

  /** @returns whether a retry may be made; it then counts as made */
  spend(now: number): boolean {
    const window = this.#at(now);
    const calls = window.calls + this.#before.calls;
    if (window.retries + this.#before.retries >= RESERVE + Math.floor(calls * SHARE)) return false;
    window.retries += 1;
    return true;
  }

  #at(now: number) {
    const number = Math.floor(now / WINDOW_MS);
    if (number !== this.#window.number) {
      this.#before = number === this.#window.number + 1 ? this.#window : { calls: 0, retries: 0 };
      this.#window = { number, calls: 0, retries: 0 };
    }
    return this.#window;
  }
}
