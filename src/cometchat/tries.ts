import { setTimeout as wait } from 'node:timers/promises';
import type { ProblemCode } from '../problem.ts';
import { type ApiConfig, type Call, CometChatApi } from './api.ts';
import { Breaker } from './breaker.ts';
import type { Edges } from './edges.ts';
import type { Place } from './order.ts';
import { ABANDONED, type Failure, type Outcome } from './outcome.ts';
import { Quota } from './quota.ts';
import { isTransient, RetryBudget, retryDelay } from './retry.ts';
import type { Write } from './writes.ts';

export interface TriesConfig extends ApiConfig {
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

  /**
   * Makes tries until one has decided, or there shall be no other.
   *
   * @param place of the write in the order of all replicas, where there are several
   */
  async make(write: Write, call: Call, place: Place | undefined): Promise<Outcome> {
    this.#budget.call(performance.now());
    let failure: Failure | undefined;
    for (let tries = 1; ; tries += 1) {
      const done = await this.#prepare(write, call, place);
      // A refusal would say that nothing was changed, which after a failure nobody knows.
      if (done) return failure && !done.ok && REFUSALS.has(done.problem) ? failure : done;
      const outcome = await this.#try(write, call);
      if (outcome.ok || !isTransient(outcome)) return outcome;
      if (write.ended) return write.ended;
      const delay = retryDelay(tries, outcome, write.deadline - performance.now(), this.#random());
      if (delay === undefined) return outcome;
      if (!this.#budget.spend(performance.now())) {
        this.#metrics.retriesWithheld.inc();
        return outcome;
      }
      this.#metrics.retries.inc();
      write.retried.push(outcome.errorType);
      place?.leave();
      await wait(delay, undefined, { signal: write.idle }).catch(() => {});
      failure = outcome;
    }
  }

  /** Closes the idle connections. */
  close(): void {
    this.#api.close();
  }

  /** Waits for all that a try needs. @returns how the write has ended without it, if it has */
  async #prepare(write: Write, call: Call, place: Place | undefined): Promise<Outcome | undefined> {
    for (;;) {
      const done = write.ended ?? (await place?.enter(write, this.#tryMs));
      if (done?.ok) this.#metrics.mergedWrites.inc();
      if (done) return done;
      const taken = await this.#quota.take(call.onBehalfOf, this.#inFlight);
      if (typeof taken !== 'function') return taken;
      const refusal = write.ended ?? this.#breaker.refusal();
      if (!refusal && (place?.isHeld ?? true)) return undefined;
      taken();
      if (refusal) return refusal;
    }
  }

  async #try(write: Write, call: Call): Promise<Outcome> {
    const timeLeft = Math.max(1, Math.ceil(write.deadline - performance.now()));
    const timeoutMs = Math.min(this.#tryMs, timeLeft);
    const end = performance.now() + timeoutMs;
    this.#inFlight += 1;
    const outcome = await this.#breaker
      .run(() => this.#api.send(call, timeoutMs, write.abandoned))
      .finally(() => {
        this.#inFlight -= 1;
      });
    this.#metrics.tries.inc({ result: resultOf(outcome) });
    if (outcome === ABANDONED) {
      // It was cut off, and CometChat may be at it still: a newer write has to wait as if it had not been.
      await wait(end - performance.now(), undefined, { ref: false });
    } else if (!outcome.ok && outcome.problem === 'cometchat-busy' && outcome.retryAfterSeconds) {
      this.#quota.exhausted(outcome.retryAfterSeconds);
    }
    return outcome;
  }
}

const resultOf = (outcome: Outcome): ProblemCode | 'ok' | 'client_gone' => {
  if (outcome.ok) return 'ok';
  return outcome === ABANDONED ? 'client_gone' : outcome.problem;
};
