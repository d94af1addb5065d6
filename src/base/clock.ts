import { setTimeout as wait } from 'node:timers/promises';

/** A clock that only goes forward, and its timers. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  /** Calls back after so many milliseconds. @returns prevents that */
  after(ms: number, callback: () => void): () => void;
  /** Waits so many milliseconds, or until `ended` is aborted. Waiting alone keeps no process alive. */
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
