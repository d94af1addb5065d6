import { setTimeout as wait } from 'node:timers/promises';

const PAUSE_MS = 2;

/** Waits until the predicate holds, and throws where it still does not after these seconds. */
export async function until(
  what: string,
  predicate: () => boolean | Promise<boolean>,
  seconds = 20,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await predicate())) {
    if (performance.now() >= end) throw new Error(`${what} has not come in ${seconds} s`);
    await wait(PAUSE_MS);
  }
}
