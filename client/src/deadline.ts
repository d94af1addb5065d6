/** setTimeout's longest; beyond it, a timer ends at once. */
const LONGEST_MS = 2 ** 31 - 1;

export interface Deadline {
  /** Aborts when the time is over, or the caller's signal aborts. */
  readonly signal: AbortSignal;
  leftMs(): number;
  /** Does the work, unless the time is over before it begins or before it ends. Rejects with the reason then. */
  within<T>(work: () => T | Promise<T>): Promise<T>;
  pause(ms: number): Promise<void>;
  /** Frees the timers and the caller's signal. */
  end(): void;
}

/**
 * Begins the time of one operation. React Native has no AbortSignal.any, no AbortSignal.timeout and no DOMException.
 *
 * @param timeoutError why the work ends when the time is over
 */
export function startDeadline(
  timeoutMs: number,
  caller: AbortSignal | undefined,
  timeoutError: () => unknown,
): Deadline {
  const endsAt = performance.now() + timeoutMs;
  const controller = new AbortController();
  let over!: (reason: unknown) => void;
  const ended = new Promise<never>((_, reject) => {
    over = (reason) => {
      reject(reason);
      controller.abort();
    };
  });
  ended.catch(() => {});
  const onAbort = () => over(caller?.reason ?? abortError());
  const timer = setTimeout(() => over(timeoutError()), Math.min(timeoutMs, LONGEST_MS));
  let waiting: ReturnType<typeof setTimeout> | undefined;
  if (caller?.aborted) onAbort();
  caller?.addEventListener('abort', onAbort);

  const within: Deadline['within'] = async (work) =>
    controller.signal.aborted ? ended : Promise.race([ended, work()]);
  return {
    signal: controller.signal,
    leftMs: () => endsAt - performance.now(),
    within,
    pause: (ms) =>
      within(
        () =>
          new Promise<void>((resolve) => {
            waiting = setTimeout(resolve, Math.min(ms, LONGEST_MS));
          }),
      ),
    end() {
      clearTimeout(timer);
      clearTimeout(waiting);
      caller?.removeEventListener('abort', onAbort);
    },
  };
}

/** For signals that have no reason. */
const abortError = () => Object.assign(new Error('The operation was aborted'), { name: 'AbortError' });
