const SECONDS = 60;
export const MINUTE_MS = SECONDS * 1000;

/**
 * The minute of the clock that a moment is in. Every minute counts under keys of its own, so that a clock that
 * jumps can lock nobody out for longer than that.
 *
 * @param now in UNIX milliseconds
 * @returns its number, and the whole seconds until it is over, from 1 to 60
 */
export function minuteAt(now: number): { number: number; secondsLeft: number } {
  const seconds = now / 1000;
  const number = Math.floor(seconds / SECONDS);
  return { number, secondsLeft: Math.max(1, Math.ceil((number + 1) * SECONDS - seconds)) };
}
