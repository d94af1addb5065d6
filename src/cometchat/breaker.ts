import {
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import { ABANDONED, ended, type Failure, type Outcome } from './outcome.ts';

/** Opens when more than half of the last hundred tries, and of twenty at least, have failed. */
const SAMPLE = { threshold: 0.5, size: 100, minimumNumberOfCalls: 20 };
const OPEN_MS = 5000;

/**
 * Stops calling a CometChat that fails: calls then end here, at once, until a single try after five seconds has
 * been answered.
 */
export class Breaker {
  readonly #circuit: CircuitBreakerPolicy;
  /** How long a probe may take, in seconds. */
  readonly #probeSeconds: number;
  #openedAt = 0;

  /** @param onChange called when it opens, and when it is closed again */
  constructor(tryTimeoutMs: number, onChange: (open: boolean) => void) {
    this.#probeSeconds = Math.ceil(tryTimeoutMs / 1000);
    const isOutage = handleWhenResult((outcome) => this.#isOutage(outcome as Outcome));
    this.#circuit = circuitBreaker(isOutage, { halfOpenAfter: OPEN_MS, breaker: new CountBreaker(SAMPLE) });
    this.#circuit.onBreak(() => {
      this.#openedAt = Date.now();
      onChange(true);
    });
    this.#circuit.onReset(() => onChange(false));
  }

  /** @returns why nothing may be sent now, with the seconds until it is tried again; undefined where it may */
  refusal(): Failure | undefined {
    // cockatiel would let the others wait for the probe.
    if (this.#circuit.state === CircuitState.HalfOpen)
      return ended('cometchat-unavailable', this.#probeSeconds);
    if (this.#circuit.state !== CircuitState.Open) return undefined;
    const left = this.#openedAt + OPEN_MS - Date.now();
    return left > 0 ? ended('cometchat-unavailable', Math.ceil(left / 1000)) : undefined;
  }

  /** Makes a try; there must have been no refusal since the last turn of the event loop. */
  run(attempt: () => Promise<Outcome>): Promise<Outcome> {
    return this.#circuit.execute(attempt);
  }

  /** CometChat is not there, or not well. Whatever it decides, refusals included, shows that it is. */
  #isOutage(outcome: Outcome): boolean {
    if (outcome.ok) return false;
    // A probe whose client has left has shown nothing.
    if (outcome === ABANDONED) return this.#circuit.state === CircuitState.HalfOpen;
    return outcome.problem === 'cometchat-failed' || outcome.problem === 'cometchat-timeout';
  }
}
