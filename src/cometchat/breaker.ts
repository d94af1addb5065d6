import {
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import { ABANDONED, ended, type Failure, type Outcome } from './call.ts';

/** Opens when more than half of the last hundred tries, and of twenty at least, have failed. */
const SAMPLE = { threshold: 0.5, size: 100, minimumNumberOfCalls: 20 };
const OPEN_MS = 5000;

/**
 * Stops calling a CometChat that fails: calls then end here, at once, until a single try after five seconds has
 * been answered.
 */
export class Breaker {
  /** How long a probe may take, in seconds. */
  readonly #probeSeconds: number;
  readonly #onChange: (isOpen: boolean) => void;
  #circuit = this.#closed();
  #openedAt = 0;
  #isOpen = false;

  /** @param onChange called when it opens, and when it is closed again */
  constructor(tryTimeoutMs: number, onChange: (isOpen: boolean) => void) {
    this.#probeSeconds = Math.ceil(tryTimeoutMs / 1000);
    this.#onChange = onChange;
  }

  /** @returns why nothing may be sent now, with the seconds until it is tried again; undefined where it may */
  refusal(): Failure | undefined {
    // cockatiel would let the others wait for the probe.
    if (this.#circuit.state === CircuitState.HalfOpen) {
      return ended('cometchat-unavailable', this.#probeSeconds);
    }
    if (this.#circuit.state !== CircuitState.Open) return undefined;
    const left = this.#openedAt + OPEN_MS - Date.now();
    // The clock was set back, and cockatiel would wait until it is where it was.
    if (left > OPEN_MS) this.#reset();
    return left > 0 && left <= OPEN_MS ? ended('cometchat-unavailable', Math.ceil(left / 1000)) : undefined;
  }

  /** Makes a try. There must have been no refusal, and nothing waited for since. */
  run(attempt: () => Promise<Outcome>): Promise<Outcome> {
    return this.#circuit.execute(attempt);
  }

  #closed(): CircuitBreakerPolicy {
    const isOutage = handleWhenResult((outcome) => this.#isOutage(outcome as Outcome));
    const circuit = circuitBreaker(isOutage, { halfOpenAfter: OPEN_MS, breaker: new CountBreaker(SAMPLE) });
    circuit.onBreak(() => {
      this.#openedAt = Date.now();
      this.#tell(true);
    });
    circuit.onReset(() => this.#tell(false));
    return circuit;
  }

  #reset(): void {
    this.#circuit = this.#closed();
    this.#tell(false);
  }

  /** A probe that fails opens it once more, which is no news. */
  #tell(isOpen: boolean): void {
    if (isOpen !== this.#isOpen) this.#onChange(isOpen);
    this.#isOpen = isOpen;
  }

  /**
   * CometChat is not there, or not well. Whatever it says by a code of its own, refusals and troubles included, shows
   * that it is there; and may be about one conversation alone, whose user must not be able to close it for all.
   */
  #isOutage(outcome: Outcome): boolean {
    if (outcome.ok || outcome.code !== undefined) return false;
    // A probe whose client has left has shown nothing.
    if (outcome === ABANDONED) return this.#circuit.state === CircuitState.HalfOpen;
    return outcome.problem === 'cometchat-failed' || outcome.problem === 'cometchat-timeout';
  }
}
