import { setTimeout as wait } from 'node:timers/promises';

/** A clock that only goes forward, and its timers. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  /** Calls `callback` once, after `ms` milliseconds. @returns a function that cancels the call */
  after(ms: number, callback: () => void): () => void;
  /** Waits `ms` milliseconds, or until `ended` is aborted. This wait does not keep the process running. */
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
