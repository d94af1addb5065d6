import type { Services } from '../base/services.ts';

/** Redis is there and refuses the gateway, or has a certificate that the gateway refuses: no waiting mends that. */
const REFUSALS = /^(?:WRONGPASS|NOAUTH|NOPERM)$|CERT|UNABLE_TO_VERIFY/;

/** Whether Redis can be asked, and what the log says of that: each reason once, until Redis can be asked again. */
export class Health {
  readonly #log: Services['log'];
  readonly #logged = new Set<string>();
  readonly #known = Promise.withResolvers<void>();
  #state: 'ok' | 'unavailable' | 'misconfigured' = 'unavailable';
  #lostAt = Number.NEGATIVE_INFINITY;

  constructor({ log, metrics }: Pick<Services, 'log' | 'metrics'>) {
    this.#log = log;
    metrics.gauge('redis_connected', '1 while Redis can be asked', [], (gauge) =>
      gauge.set(Number(this.#state === 'ok')),
    );
  }

  /** `misconfigured`: something answers that is no Redis of the kind that REDIS_URL says. */
  get state(): 'ok' | 'unavailable' | 'misconfigured' {
    return this.#state;
  }

  /** Waits until it is known for the first time whether Redis can be asked. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** How long Redis has been unavailable, in milliseconds. */
  get lostMs(): number {
    return this.#state === 'ok' ? 0 : performance.now() - this.#lostAt;
  }

  /** Redis cannot be asked. Of several reasons the log has the first one, and those that only a person can mend. */
  lost(type: string): void {
    if (this.#state === 'ok') [this.#state, this.#lostAt] = ['unavailable', performance.now()];
    this.#known.resolve();
    const isRefusal = REFUSALS.test(type);
    if (this.#logged.has(type) || (this.#logged.size > 0 && !isRefusal)) return;
    this.#logged.add(type);
    this.#log[isRefusal ? 'error' : 'warn']({ error: { type } }, 'Redis connection lost');
  }

  /** @param advice what REDIS_URL leads to, and what to write instead */
  misconfigured(advice: string): void {
    this.#state = 'misconfigured';
    this.#known.resolve();
    if (this.#logged.has(advice)) return;
    this.#logged.add(advice);
    this.#log.error(advice);
  }

  restored(): void {
    this.#state = 'ok';
    this.#known.resolve();
    if (this.#logged.size > 0) this.#log.info('Redis connection restored');
    this.#logged.clear();
  }
}
