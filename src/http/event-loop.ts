import type { FastifyInstance } from 'fastify';

const LOOK_EVERY_MS = 100;
/** Whoever has waited for so long in the queue of the event loop had better be told so at once. */
const HELD_MS = 1000;
/** Something is wrong with a process that is held for so long, in one or in all, between two probes. */
const STUCK_MS = 2000;
const REMEMBERED_MS = 10_000;

/** Sees how long the event loop is held, by how late a timer is: timers go before the requests that wait meanwhile. */
export class EventLoop {
  readonly #now: () => number;
  #lateMs = 0;
  /** The last times that it was held, and for how long. */
  #holds: { readonly at: number; readonly ms: number }[] = [];

  /** @param now the clock, in milliseconds, which does not go back; the machine's unless given */
  constructor(app: FastifyInstance, now = () => performance.now()) {
    this.#now = now;
    let expected = now() + LOOK_EVERY_MS;
    const timer = setInterval(() => {
      this.#lateMs = now() - expected;
      expected = now() + LOOK_EVERY_MS;
      if (this.#lateMs < HELD_MS) return;
      this.#holds = [...this.#recentHolds(), { at: now(), ms: this.#lateMs }];
      app.log.warn({ ms: Math.round(this.#lateMs) }, 'the event loop was held up');
    }, LOOK_EVERY_MS).unref();
    app.addHook('onClose', async () => clearInterval(timer));
  }

  /** Whether it has just been held so long that requests have queued up. */
  get wasHeld(): boolean {
    return this.#lateMs >= HELD_MS;
  }

  /** Whether it was held for seconds not long ago, be it in pieces. */
  get wasStuck(): boolean {
    return this.#recentHolds().reduce((sum, { ms }) => sum + ms, 0) >= STUCK_MS;
  }

  #recentHolds() {
    return this.#holds.filter(({ at }) => this.#now() - at < REMEMBERED_MS);
  }
}
