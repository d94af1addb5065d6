import { MINUTE_MS } from '../base/minute.ts';

/** How the quota of the running minute stands, as far as one user's next call goes. */
export interface Spending {
  /** Calls that the app has in a minute, and those made in this one. */
  readonly limit: number;
  readonly spent: number;
  /** Those of this user, and how many users have asked for any in this minute, this one included. */
  readonly mine: number;
  readonly users: number;
  /** How much of the minute is over. */
  readonly elapsedMs: number;
}

/**
 * Decides whether a user may have one more call of the quota: up to a fair share always, with one share kept for
 * whoever comes next; beyond it as far as the minute has gone, so that a single user gets the whole quota in time,
 * and none ever leaves nothing for the others.
 *
 * @returns milliseconds until it may be asked for; 0 where it may be made now
 */
export function waitForShare({ limit, spent, mine, users, elapsedMs }: Spending): number {
  if (spent >= limit) return MINUTE_MS - elapsedMs;
  if (mine < limit / (users + 1)) return 0;
  return Math.max(0, ((spent + 1) * MINUTE_MS) / limit - elapsedMs);
}
