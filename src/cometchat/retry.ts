import type { Failure } from './call.ts';
import { PROBLEM_BY_CODE } from './errors.ts';

/** Together long enough for a short restart to be over. */
const LONGEST_DELAYS_MS = [200, 600];
/** A try that has less time than this is not worth a call. */
export const SHORTEST_TRY_MS = 50;

/** CometChat's codes that may be gone with the next try. */
const TRANSIENT_CODES = new Set([
  'ERR_TOO_MANY_REQUESTS',
  'ERR_MISSION_FAILED',
  'ERR_OPERATION_FAILED',
  'ERR_EXCEPTION',
  'ERR_BAD_ERROR_RESPONSE',
]);

/** The same of bare statuses: not processed, or said by a proxy. A bare 500 is more likely a defect, met again. */
const TRANSIENT_STATUSES = new Set([408, 429, 502, 503, 504]);

/** A connection that broke, or never was. What a certificate or the bytes of a reply are at fault for stays so. */
const TRANSIENT_ERRORS = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  // The connection ended in the middle of the reply.
  'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
  'ETIMEDOUT',
]);

/**
 * Whether sending the same PUT again may help. It is always safe: the set of tags is replaced as a whole, and
 * RFC 9110, section 9.2.2 calls that idempotent.
 */
export function isTransient({ problem, errorType, status, code }: Failure): boolean {
  if (code !== undefined && Object.hasOwn(PROBLEM_BY_CODE, code)) return TRANSIENT_CODES.has(code);
  if (status !== undefined) return TRANSIENT_STATUSES.has(status);
  return problem === 'cometchat-timeout' || TRANSIENT_ERRORS.has(errorType);
}

/** Errors that leave open whether CometChat has got the call, and is still at it. */
const UNSETTLED_ERRORS =
  /^(?:ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|client_gone|reply_informational|reply_upgrade)$|^timeout_(?!lookup|connect|secureConnect)/;

/** Whether CometChat may carry out a call later on: nobody has heard how it ended, or only a proxy before it has. */
export function isUnsettled({ errorType, status, code }: Failure): boolean {
  if (code !== undefined) return false;
  return status === undefined ? UNSETTLED_ERRORS.test(errorType) : status === 502 || status === 504;
}

/**
 * Decides whether a failed try is followed by another, and when.
 *
 * @param tries how many there were, from 1 on
 * @param timeLeftMs until the deadline
 * @param random from 0 to 1: the whole of the delay is left to chance ("full jitter"), so that those who failed
 *   together do not come back together
 * @returns milliseconds to wait; undefined where there shall be no other try, be it for want of time
 */
export function retryDelay(
  tries: number,
  failure: Failure,
  timeLeftMs: number,
  random: number,
): number | undefined {
  const longest = LONGEST_DELAYS_MS[tries - 1];
  if (longest === undefined || !isTransient(failure)) return undefined;
  const delay = (failure.retryAfterSeconds ?? 0) * 1000 + random * longest;
  return delay + SHORTEST_TRY_MS <= timeLeftMs ? delay : undefined;
}

const WINDOW_MS = 10_000;
/** So that an app that is hardly used gets its retries too. */
const RESERVE = 10;
const SHARE = 0.1;

/**
 * Lets retries be a tenth of the calls of the last ten to twenty seconds, and ten beside: in an outage, when every
 * call fails, they must not double what CometChat gets.
 */
export class RetryBudget {
  #window = { number: 0, calls: 0, retries: 0 };
  #before = { calls: 0, retries: 0 };

  /** @param now in milliseconds, of any clock that does not go back */
  call(now: number): void {
    this.#at(now).calls += 1;
  }

  /** @returns whether a retry may be made; it then counts as made */
  spend(now: number): boolean {
    const window = this.#at(now);
    const calls = window.calls + this.#before.calls;
    if (window.retries + this.#before.retries >= RESERVE + Math.floor(calls * SHARE)) return false;
    window.retries += 1;
    return true;
  }

  #at(now: number) {
    const number = Math.floor(now / WINDOW_MS);
    if (number !== this.#window.number) {
      this.#before = number === this.#window.number + 1 ? this.#window : { calls: 0, retries: 0 };
      this.#window = { number, calls: 0, retries: 0 };
    }
    return this.#window;
  }
}
