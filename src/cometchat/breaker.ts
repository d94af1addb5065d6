import type { Services } from '../base/services.ts';
import type { Send } from './call.ts';
import { type Failure, type Outcome, rejected } from './outcome.ts';
import { Partners, type Subject, Witnesses } from './witnesses.ts';

/**
 * When the circuit opens: `witnesses` have failed within `withinMs`. CometChat has answered nobody since the first of these. That one is
 * `afterMs` old, or `attempts` have failed. Less is left to the retries, such as a connection that breaks
 * under a few calls. As many as keep it open must have failed, or have had no answer for `silentMs`: what has just begun may
 * be answered yet.
 */
const TO_OPEN = { witnesses: 5, withinMs: 10_000, afterMs: 500, attempts: 20, silentMs: 250 };

/**
 * When it stays open: in the last `withinMs`, `witnesses` have begun an attempt, and none was answered. Fewer may all fail for
 * a reason of their own. An attempt that began earlier says nothing of now.
 */
const TO_STAY_OPEN = { witnesses: 4, withinMs: 1750 };

const FIRST_PROBE_MS = 50;
const LONGEST_PROBE_DELAY_MS = 250;

/** @returns how long after so many probes the next one may be sent, in milliseconds: soon at first, then less often */
export const probeDelay = (probes: number): number =>
  Math.min(FIRST_PROBE_MS * 2 ** probes, LONGEST_PROBE_DELAY_MS);

/**
 * Stops calling a CometChat that answers nobody: calls then end in the gateway, at once. A few calls of different users are
 * let through as probes. The first answer lets all through again.
 */
export class Breaker {
  readonly #services: Pick<Services, 'log' | 'metrics' | 'seams'>;
  readonly #opened;
  readonly #partners = new Partners();
  readonly #failed = new Witnesses(TO_OPEN.withinMs, this.#partners);
  readonly #unanswered = new Witnesses(TO_STAY_OPEN.withinMs, this.#partners);
  /** Those of the unanswered attempts that have failed. */
  readonly #failedLately = new Witnesses(TO_STAY_OPEN.withinMs, this.#partners);
  readonly #probes = new Witnesses(TO_STAY_OPEN.withinMs, this.#partners);
  /** Since the last answer, while there are witnesses of it. */
  #failing = { since: 0, attempts: 0 };
  /** Since then, at any time, enough were unanswered to tell that CometChat fails. */
  #knownSince = 0;
  #isOpen = false;
  #probesSent = 0;
  #nextProbeAt = 0;
  /** Attempts that began before say nothing by failing: CometChat has answered since, or the circuit was closed. */
  #countedFrom = Number.NEGATIVE_INFINITY;

  constructor(services: Pick<Services, 'log' | 'metrics' | 'seams'>) {
    this.#services = services;
    this.#opened = services.metrics.counter(
      'circuit_opened_total',
      'Times that CometChat began to answer nobody, so that calls ended in the gateway',
    );
    services.metrics.gauge(
      'circuit_open',
      '1 while CometChat answers nobody and calls end in the gateway',
      [],
      (gauge) => gauge.set(Number(this.isOpen)),
    );
  }

  get isOpen(): boolean {
    if (this.#isOpen && !this.#isKnownToFail(this.#now())) {
      this.#close('Too few users call CometChat to tell that it fails: circuit closed');
    }
    return this.#isOpen;
  }

  /** @returns why a call about this subject may not be sent now */
  refusal(subject: Subject): Failure | undefined {
    if (!this.isOpen) return undefined;
    const now = this.#now();
    const isProbe = now >= this.#nextProbeAt && this.#probes.lacks(subject, now);
    return isProbe ? undefined : rejected('cometchat-unavailable');
  }

  /** The step. */
  around(send: Send): Send {
    // Nothing is awaited from here to the wire, and a call that may not start is no probe.
    return async (call) => {
      const subject = { user: call.onBehalfOf, partner: call.operation.partner };
      const refusal = call.mayStart() ?? this.refusal(subject);
      if (refusal) return refusal;
      const startedAt = this.#now();
      if (!this.#isKnownToFail(startedAt)) this.#knownSince = startedAt;
      this.#unanswered.add(subject, startedAt);
      if (this.#isOpen) this.#probe(subject, startedAt);
      const outcome = await send(call);
      // A call whose client has left shows nothing.
      if (outcome.ok || outcome.errorType !== 'client_gone') this.#learn(subject, startedAt, outcome);
      return outcome;
    };
  }

  #probe(subject: Subject, now: number): void {
    this.#probes.add(subject, now);
    this.#probesSent += 1;
    this.#nextProbeAt = now + probeDelay(this.#probesSent);
  }

  #learn(subject: Subject, startedAt: number, outcome: Outcome<unknown>): void {
    const now = this.#now();
    if (!isOutage(outcome)) {
      this.#countedFrom = now;
      if (subject.partner !== undefined) this.#partners.answered(subject.partner, now);
      this.#failed.clear();
      this.#failedLately.clear();
      this.#unanswered.clear();
      if (this.#isOpen) this.#close('CometChat answers again: circuit closed');
      return;
    }
    if (this.isOpen || startedAt < this.#countedFrom) return;
    if (this.#failed.count(now) === 0) this.#failing = { since: now, attempts: 0 };
    this.#failed.add(subject, now);
    this.#failedLately.add(subject, startedAt);
    this.#failing.attempts += 1;
    const { since, attempts } = this.#failing;
    const isLong = now - since >= TO_OPEN.afterMs || attempts >= TO_OPEN.attempts;
    const isSeen = this.#failed.count(now) >= TO_OPEN.witnesses && this.#isKnownToFail(now);
    if (!isLong || !isSeen) return;
    const isSilent =
      now - this.#knownSince >= TO_OPEN.silentMs || this.#failedLately.count(now) >= TO_STAY_OPEN.witnesses;
    if (isSilent) this.#open(now);
    else this.#services.seams.clock.after(TO_OPEN.silentMs, () => this.#openIfSilentSince(now));
  }

  #openIfSilentSince(then: number): void {
    const now = this.#now();
    if (!this.isOpen && this.#isKnownToFail(now) && this.#knownSince <= then) this.#open(now);
  }

  #isKnownToFail(now: number): boolean {
    return this.#unanswered.count(now) >= TO_STAY_OPEN.witnesses;
  }

  #open(now: number): void {
    this.#isOpen = true;
    this.#probes.clear();
    this.#probesSent = 0;
    this.#nextProbeAt = now + probeDelay(0);
    this.#opened.inc();
    this.#services.log.warn('CometChat fails: circuit open, calls end here until it answers');
  }

  #close(why: string): void {
    this.#isOpen = false;
    this.#countedFrom = this.#now();
    this.#failed.clear();
    this.#services.log.info(why);
  }

  #now(): number {
    return this.#services.seams.clock.now();
  }
}

/** An answer with a code of CometChat's own, or one that says what is wrong with the call, shows that it is there. */
const isOutage = (outcome: Outcome<unknown>): boolean =>
  !outcome.ok &&
  outcome.code === undefined &&
  (outcome.problem === 'cometchat-failed' || outcome.problem === 'cometchat-timeout');
