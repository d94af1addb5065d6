import type { Clock } from '../../src/base/clock.ts';

/** What has not ended by then goes on for ever. */
const LONGEST_RUN_MS = 600_000;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still while there is something to do, and then jumps to its next timer. */
export class VirtualClock implements Clock {
  #now = 0;
  /** In their order; equal ones in the order in which they were set. */
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    const later = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  wait(ms: number, ended?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (ended?.aborted) return Promise.resolve();
    const end = () => {
      cancel();
      ended?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = this.after(ms, end);
    ended?.addEventListener('abort', end);
    return promise;
  }

  /** Lets so much time go by in which nothing happens. */
  pass(ms: number): void {
    this.#now += ms;
  }

  /** Lets time go on until `work` is settled, and gives what it gives. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    work.then(end, end);
    for (;;) {
      // All that can be done now is done when the next turn of the event loop comes.
      await new Promise(setImmediate);
      if (isOver) return work;
      const next = this.#timers.shift();
      if (!next || next.at > LONGEST_RUN_MS)
        throw new Error(`at ${this.#now} ms nothing is left that could end it`);
      this.#now = next.at;
      next.callback();
    }
  }
}
