import type { FastifyInstance } from 'fastify';

const LOOK_EVERY_MS = 100;
/** Whoever has waited for so long in the queue of the event loop had better be told so at once. */
const HELD_MS = 1000;
/** Something is wrong with a process that is held for so long, again and again; it is remembered between two probes. */
const STUCK_MS = 2000;
const REMEMBERED_MS = 10_000;

/** Sees how long the event loop is held, by how late a timer is: timers go before the requests that wait meanwhile. */
export class EventLoop {
  readonly #now: () => number;
  #lateMs = 0;
  #stuckAt = Number.NEGATIVE_INFINITY;

  /** @param now the clock, in milliseconds, which does not go back; the machine's unless given */
  constructor(app: FastifyInstance, now = () => performance.now()) {
    this.#now = now;
    let expected = now() + LOOK_EVERY_MS;
    const timer = setInterval(() => {
      this.#lateMs = now() - expected;
      expected = now() + LOOK_EVERY_MS;
      if (this.#lateMs >= HELD_MS)
        app.log.warn({ ms: Math.round(this.#lateMs) }, 'the event loop was held up');
      if (this.#lateMs >= STUCK_MS) this.#stuckAt = now();
    }, LOOK_EVERY_MS).unref();
    app.addHook('onClose', async () => clearInterval(timer));
  }

  /** Whether it has just been held so long that requests have queued up. */
  get wasHeld(): boolean {
    return this.#lateMs >= HELD_MS;
  }

  /** Whether it was held for seconds not long ago. */
  get wasStuck(): boolean {
    return this.#now() - this.#stuckAt < REMEMBERED_MS;
  }
}
