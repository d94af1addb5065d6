import { setTimeout as wait } from 'node:timers/promises';

/** A clock that only goes forward, and its timers. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  /** Calls `callback` once, after so many milliseconds. @returns a function that cancels it */
  after(ms: number, callback: () => void): () => void;
  /** Waits so many milliseconds, or until `ended` is aborted. The process may exit while it waits. */
  wait(ms: number, ended: AbortSignal): Promise<void>;
}

export const MACHINE_CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  wait: (ms, signal) => wait(ms, undefined, { ref: false, signal }).catch(() => {}),
};
