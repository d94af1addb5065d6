import { setTimeout as wait } from 'node:timers/promises';
import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import type { ProblemCode } from '../problem.ts';
import { type ApiConfig, type Call, CometChatApi, type Peer } from './api.ts';
import { Breaker } from './breaker.ts';
import type { CometChatId } from './contract.ts';
import type { Edges } from './edges.ts';
import { type Place, SharedOrder } from './order.ts';
import { ABANDONED, ended, type Failure, type Outcome } from './outcome.ts';
import { Quota } from './quota.ts';
import { isTransient, RetryBudget, retryDelay } from './retry.ts';
import { type Write, Writes } from './writes.ts';

export interface CometChatConfig extends ApiConfig {
  /** Over all tries of one write, as one client sees it. */
  readonly deadlineMs: number;
  readonly maxConcurrency: number;
  readonly callsPerMinute: number;
  /** The clock of the quota, in UNIX milliseconds, and chance, from 0 to 1; the machine's unless given. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** What became of a client's write, and how it came to that. */
export interface Result {
  readonly outcome: Outcome;
  /** Error types of the tries after which another one was made. */
  readonly retried: readonly string[];
  /** It was the same as another one under way, and both were one. */
  readonly merged: boolean;
}

/** Ends writes that shall not be made, whichever they are. */
const REFUSALS: ReadonlySet<ProblemCode> = new Set(['cometchat-busy', 'cometchat-unavailable']);
const NEVER = new AbortController().signal;

/**
 * Carries writes to CometChat: in order, as one where they are the same, again where that may help, and not at all
 * where it would only do harm.
 */
export class CometChatClient {
  readonly #config: CometChatConfig;
  readonly #edges: Edges;
  readonly #api: CometChatApi;
  readonly #writes = new Writes();
  readonly #order: SharedOrder | undefined;
  readonly #quota: Quota;
  readonly #breaker: Breaker;
  readonly #room: BulkheadPolicy;
  readonly #budget = new RetryBudget();
  readonly #random: () => number;
  #inFlight = 0;

  constructor(config: CometChatConfig, edges: Edges) {
    const { log, metrics, redis } = edges;
    this.#config = config;
    this.#random = config.random ?? Math.random;
    this.#edges = edges;
    this.#quota = new Quota(config.callsPerMinute, config.now ?? Date.now, edges);
    this.#api = new CometChatApi(config, edges, (report) => this.#quota.learn(report));
    this.#order = redis && new SharedOrder(redis, edges);
    this.#room = bulkhead(config.maxConcurrency);
    this.#breaker = new Breaker(config.attemptTimeoutMs, (open) => {
      metrics.circuitOpen.set(open ? 1 : 0);
      if (!open) return log.info('CometChat answers again');
      metrics.circuitOpened.inc();
      log.warn('CometChat fails: calls end here until it answers again');
    });
  }

  /**
   * Replaces the tags that one user has put on one conversation ("Update User Conversation").
   *
   * @param onBehalfOf the user who acts
   * @param peer whose conversation with that user is meant
   * @param tags the whole new set
   * @param gone aborted when the client has left
   * @returns what became of it; never throws for anything that CometChat, the network or Redis does
   */
  async updateTags(
    onBehalfOf: CometChatId,
    peer: Peer,
    tags: readonly string[],
    gone: AbortSignal = NEVER,
  ): Promise<Result> {
    const call = { onBehalfOf, peer, body: JSON.stringify({ tags }) };
    const lane = `${onBehalfOf}:${peer.type}:${peer.id}`;
    const client = { gone, deadline: performance.now() + this.#config.deadlineMs };
    const same = this.#writes.find(lane, call.body);
    if (same) {
      this.#edges.metrics.mergedWrites.inc();
      return { outcome: await same.join(client), retried: same.retried, merged: true };
    }
    const refusal = this.#refusal();
    if (refusal) return { outcome: refusal, retried: [], merged: false };
    const write = this.#writes.begin(lane, call.body, (write, isFirst) =>
      this.#room.execute(() => this.#perform(write, call, isFirst, this.#order?.place(lane, call.body))),
    );
    return { outcome: await write.join(client), retried: write.retried, merged: false };
  }

  /** Closes the idle connections. */
  close(): void {
    this.#api.close();
  }

  /** @returns why no new write is begun at all */
  #refusal(): Failure | undefined {
    if (this.#room.executionSlots === 0) return ended('gateway-overloaded');
    return this.#breaker.refusal() ?? this.#quota.refusal();
  }

  async #perform(write: Write, call: Call, isFirst: boolean, place: Place | undefined): Promise<Outcome> {
    let outcome: Outcome | undefined;
    try {
      if (!isFirst) await Promise.all([place?.take(), write.turn]);
      this.#budget.call(performance.now());
      outcome = await this.#tryUntilDone(write, call, place);
      return outcome;
    } finally {
      place?.leave(outcome && isFinal(outcome) ? outcome : undefined);
    }
  }

  async #tryUntilDone(write: Write, call: Call, place: Place | undefined): Promise<Outcome> {
    const { metrics } = this.#edges;
    let failure: Failure | undefined;
    for (let tries = 1; ; tries += 1) {
      const done = await this.#prepare(write, call, place);
      // A refusal would say that nothing was changed, which after a failure nobody knows.
      if (done) return failure && !done.ok && REFUSALS.has(done.problem) ? failure : done;
      const outcome = await this.#try(write, call);
      if (outcome.ok || !isTransient(outcome)) return outcome;
      if (write.ended) return write.ended;
      const timeLeft = write.deadline - performance.now();
      const delay = retryDelay(tries, outcome, timeLeft, this.#random());
      if (delay === undefined) return outcome;
      if (!this.#budget.spend(performance.now())) {
        metrics.retriesWithheld.inc();
        return outcome;
      }
      metrics.retries.inc();
      write.retried.push(outcome.errorType);
      place?.leave();
      await wait(delay, undefined, { signal: write.idle }).catch(() => {});
      failure = outcome;
    }
  }

  /** Waits for all that a try needs, its turn last. @returns how the write has ended without it, if it has */
  async #prepare(write: Write, call: Call, place: Place | undefined): Promise<Outcome | undefined> {
    for (;;) {
      const done = write.ended ?? (await place?.enter(write, this.#config.attemptTimeoutMs));
      if (done?.ok) this.#edges.metrics.mergedWrites.inc();
      if (done) return done;
      const taken = await this.#quota.take(call.onBehalfOf, this.#inFlight);
      if (typeof taken !== 'function') return taken;
      const refusal = write.ended ?? this.#breaker.refusal();
      if (!refusal && (place?.isHeld ?? true)) return undefined;
      taken();
      if (refusal) return refusal;
    }
  }

  /** Sends it once. */
  async #try(write: Write, call: Call): Promise<Outcome> {
    const timeLeft = Math.max(1, Math.ceil(write.deadline - performance.now()));
    const timeoutMs = Math.min(this.#config.attemptTimeoutMs, timeLeft);
    const end = performance.now() + timeoutMs;
    this.#inFlight += 1;
    const outcome = await this.#breaker
      .run(() => this.#api.send(call, timeoutMs, write.abandoned))
      .finally(() => {
        this.#inFlight -= 1;
      });
    this.#edges.metrics.tries.inc({ result: resultOf(outcome) });
    if (outcome === ABANDONED) {
      // It was cut off, and CometChat may be at it still: a newer write has to wait as if it had not been.
      await wait(end - performance.now(), undefined, { ref: false });
    } else if (!outcome.ok && outcome.problem === 'cometchat-busy' && outcome.retryAfterSeconds) {
      this.#quota.exhausted(outcome.retryAfterSeconds);
    }
    return outcome;
  }
}

/** CometChat has decided. */
const isFinal = (outcome: Outcome): boolean =>
  outcome.ok || (outcome.status !== undefined && !isTransient(outcome));

const resultOf = (outcome: Outcome): ProblemCode | 'ok' | 'client_gone' => {
  if (outcome.ok) return 'ok';
  return outcome === ABANDONED ? 'client_gone' : outcome.problem;
};
