import {
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import type { Services } from '../base/services.ts';
import type { Send } from './call.ts';
import { type Failure, type Outcome, rejected } from './outcome.ts';

/** Opens when more than half of the last hundred attempts, and of twenty at least, have failed. */
const SAMPLE = { threshold: 0.5, size: 100, minimumNumberOfCalls: 20 };
const OPEN_MS = 5000;

/**
 * Stops calling a CometChat that fails: calls then end in the gateway, at once, until a single call after five seconds was
 * answered.
 */
export class Breaker {
  /** How long a probe may take, in seconds. */
  readonly #probeSeconds: number;
  readonly #onChange: (isOpen: boolean) => void;
  #circuit = this.#closed();
  #openedAt = 0;
  #isOpen = false;

  /** @param attemptTimeoutMs of a probe */
  constructor(attemptTimeoutMs: number, { log, metrics }: Pick<Services, 'log' | 'metrics'>) {
    this.#probeSeconds = Math.ceil(attemptTimeoutMs / 1000);
    const opened = metrics.counter(
      'circuit_opened_total',
      'Times that CometChat began to fail so much that calls ended in the gateway',
    );
    const open = metrics.gauge('circuit_open', '1 while CometChat fails and calls end in the gateway');
    this.#onChange = (isOpen) => {
      open.set(Number(isOpen));
      if (!isOpen) return log.info('CometChat answers again: circuit closed');
      opened.inc();
      log.warn('CometChat fails: circuit open, calls end here until it answers');
    };
  }

  /** @returns why nothing may be sent now, with the seconds until the next probe; undefined where a call may be sent */
  refusal(): Failure | undefined {
    // cockatiel would let the others wait for the probe.
    if (this.#circuit.state === CircuitState.HalfOpen) {
      return rejected('cometchat-unavailable', this.#probeSeconds);
    }
    if (this.#circuit.state !== CircuitState.Open) return undefined;
    const left = this.#openedAt + OPEN_MS - Date.now();
    // The clock was set back, and cockatiel would wait until it is where it was.
    if (left > OPEN_MS) this.#reset();
    return left > 0 && left <= OPEN_MS
      ? rejected('cometchat-unavailable', Math.ceil(left / 1000))
      : undefined;
  }

  /** The step. */
  around(send: Send): Send {
    // Nothing is awaited from here to the wire. Of the calls that find the circuit half open, one is let through; a call that
    // may not start is no probe.
    return async (call) => call.mayStart() ?? this.refusal() ?? this.#circuit.execute(() => send(call));
  }

  #closed(): CircuitBreakerPolicy {
    const isOutage = handleWhenResult((outcome) => this.#isOutage(outcome as Outcome<unknown>));
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

  /** A probe that fails opens the circuit once more, which is no news. */
  #tell(isOpen: boolean): void {
    if (isOpen !== this.#isOpen) this.#onChange(isOpen);
    this.#isOpen = isOpen;
  }

  /**
   * An answer with a code of CometChat's own shows that it is there. It may be about one conversation alone, whose user must
   * not be able to open the circuit for all.
   */
  #isOutage(outcome: Outcome<unknown>): boolean {
    if (outcome.ok || outcome.code !== undefined) return false;
    // A probe whose client has left has shown nothing.
    if (outcome.errorType === 'client_gone') return this.#circuit.state === CircuitState.HalfOpen;
    return outcome.problem === 'cometchat-failed' || outcome.problem === 'cometchat-timeout';
  }
}
