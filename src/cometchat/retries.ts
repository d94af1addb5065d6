import { setTimeout as wait } from 'node:timers/promises';
import type { ProblemCode } from '../base/problems.ts';
import { Breaker } from './breaker.ts';
import { ABANDONED, type Failure, LATE, type Outcome } from './call.ts';
import type { Edges } from './edges.ts';
import { type ApiConfig, type Call, CometChatApi } from './exchange.ts';
import { Quota } from './quota.ts';
import { isTransient, isUnsettled, RetryBudget, retryDelay, SHORTEST_TRY_MS } from './retry.ts';
import type { Write } from './write.ts';

export interface TriesConfig extends ApiConfig {
  /** Over all tries of one write, as one client sees it. */
  readonly deadlineMs: number;
  readonly callsPerMinute: number;
  /** The clock of the quota, in UNIX milliseconds, and chance, from 0 to 1; the machine's unless given. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** End a write before a try is made, for reasons that have nothing to do with the write. */
const REFUSALS: ReadonlySet<ProblemCode> = new Set(['cometchat-busy', 'cometchat-unavailable']);

/** Makes the tries of writes: again where that may help, and none where it would only do harm. */
export class Tries {
  readonly #tryMs: number;
  /** For how long a newer write waits for a try of which nobody knows how it ended. */
  readonly #settleMs: number;
  readonly #random: () => number;
  readonly #metrics: Edges['metrics'];
  readonly #api: CometChatApi;
  readonly #quota: Quota;
  readonly #breaker: Breaker;
  readonly #budget = new RetryBudget();
  #inFlight = 0;

  constructor(config: TriesConfig, edges: Edges) {
    const { log, metrics } = edges;
    this.#tryMs = config.attemptTimeoutMs;
    // Its client has a deadline too.
    this.#settleMs = Math.min(config.attemptTimeoutMs, config.deadlineMs / 2);
    this.#random = config.random ?? Math.random;
    this.#metrics = metrics;
    this.#quota = new Quota(config.callsPerMinute, config.now ?? Date.now, edges);
    this.#api = new CometChatApi(config, edges, (report) => this.#quota.learn(report));
    this.#breaker = new Breaker(config.attemptTimeoutMs, (open) => {
      metrics.circuitOpen.set(open ? 1 : 0);
      if (!open) return log.info('CometChat answers again');
      metrics.circuitOpened.inc();
      log.warn('CometChat fails: calls end here until it answers again');
    });
  }

  /** @returns why no try would be made now, whoever asks; undefined where one might */
  refusal(): Failure | undefined {
    return this.#breaker.refusal() ?? this.#quota.refusal();
  }

  /** Whether CometChat is asked right now, and if not, why. */
  get state(): 'ok' | 'failing' | 'busy' {
    if (this.#breaker.refusal()) return 'failing';
    return this.#quota.callsLeft === 0 ? 'busy' : 'ok';
  }

  /** Makes tries until CometChat has decided, or there shall be no other. */
  async make(write: Write, call: Call): Promise<Outcome> {
    let failure: Failure | undefined;
    for (let tries = 1; ; tries += 1) {
      const { outcome, isSent } = await this.#next(write, call);
      // A refusal would say that nothing was changed, which after a failure nobody knows.
      if (!isSent) return failure && !outcome.ok && REFUSALS.has(outcome.problem) ? failure : outcome;
      if (failure) {
        this.#metrics.retries.inc();
        write.retried.push(failure.errorType);
      } else {
        this.#budget.call(performance.now());
      }
      if (outcome.ok || !isTransient(outcome)) return outcome;
      if (write.ended) return write.ended;
      const delay = retryDelay(tries, outcome, write.deadline - performance.now(), this.#random());
      if (delay === undefined) return outcome;
      if (!this.#budget.spend(performance.now())) {
        this.#metrics.retriesWithheld.inc();
        return outcome;
      }
      // A newer write of another replica need not wait as long as CometChat asks for.
      if (outcome.retryAfterSeconds && !write.isUnsettled) write.place?.leave();
      await wait(delay, undefined, { signal: write.idle }).catch(() => {});
      failure = outcome;
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#api.close();
  }

  /** Waits for all that a try needs, and makes it; or tells how the write has ended without. */
  async #next(write: Write, call: Call): Promise<{ outcome: Outcome; isSent: boolean }> {
    for (;;) {
      const done = write.ended ?? (await write.place?.enter(write, this.#tryMs));
      if (write.isMerged) this.#metrics.mergedWrites.inc();
      if (done) return { outcome: done, isSent: false };
      const taken = await this.#quota.take(call.onBehalfOf, this.#inFlight);
      if (typeof taken !== 'function') return { outcome: taken, isSent: false };
      const timeLeft = write.deadline - performance.now();
      const refusal =
        write.ended ?? this.#breaker.refusal() ?? (timeLeft < SHORTEST_TRY_MS ? LATE : undefined);
      if (!refusal && (write.place?.isHeld ?? true)) {
        // Nothing is waited for in between: the circuit lets one of those through who found it half open.
        return { outcome: await this.#send(write, call, timeLeft), isSent: true };
      }
      taken();
      if (refusal) return { outcome: refusal, isSent: false };
    }
  }

  async #send(write: Write, call: Call, timeLeft: number): Promise<Outcome> {
    const timeoutMs = Math.min(this.#tryMs, Math.ceil(timeLeft));
    const settlesAt = performance.now() + this.#settleMs;
    this.#inFlight += 1;
    const outcome = await this.#breaker
      .run(() => this.#api.send(call, timeoutMs, write.abandoned))
      .finally(() => {
        this.#inFlight -= 1;
      });
    this.#metrics.tries.inc({ result: resultOf(outcome) });
    if (outcome.ok) return outcome;
    if (isUnsettled(outcome)) write.settlesAt = settlesAt;
    if (outcome.problem === 'cometchat-busy' && outcome.retryAfterSeconds) {
      this.#quota.exhausted(outcome.retryAfterSeconds);
    }
    return outcome;
  }
}

const resultOf = (outcome: Outcome): ProblemCode | 'ok' | 'client_gone' => {
  if (outcome.ok) return 'ok';
  return outcome === ABANDONED ? 'client_gone' : outcome.problem;
};
