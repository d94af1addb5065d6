import type { IncomingHttpHeaders } from 'node:http';
import { wholeNumber } from './quota-headers.ts';

/** What CometChat's documentation tells clients to wait where it names no time. */
const DEFAULT_SECONDS = 60;
/** No wait is shorter, so that nobody hammers, and none longer, so that a wrong clock locks nobody out. */
const MIN_SECONDS = 1;
const MAX_SECONDS = 3600;

/**
 * How long a rate-limited caller should wait: `Retry-After`, else the reset time of CometChat's rate-limit headers in
 * either spelling, else a minute.
 *
 * @param headers of the 429
 * @param now in UNIX seconds
 * @returns whole seconds from 1 to 3600
 */
export function rateLimitSeconds(headers: IncomingHttpHeaders, now: number): number {
  return (
    retryAfterSeconds(headers, now) ??
    resetIn(headers['x-rate-limit-reset'], now) ??
    resetIn(headers['x-ratelimit-reset'], now) ??
    DEFAULT_SECONDS
  );
}

/**
 * What `Retry-After` asks for, in seconds or as a date (RFC 9110, section 10.2.3).
 *
 * @param now in UNIX seconds
 * @returns whole seconds from 1 to 3600; undefined where there is none that can be read
 */
export function retryAfterSeconds(headers: IncomingHttpHeaders, now: number): number | undefined {
  const wait = secondsOrDate(headers['retry-after'], now);
  return wait === undefined ? undefined : bounded(wait);
}

const bounded = (seconds: number) => Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, Math.ceil(seconds)));

function secondsOrDate(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  // Date.parse alone would take "-1" for a year.
  const date = /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) / 1000 : Number.NaN;
  return Number.isNaN(date) ? undefined : date - now;
}

function resetIn(value: string | string[] | undefined, now: number): number | undefined {
  const reset = wholeNumber(value);
  return reset === undefined ? undefined : bounded(reset - now);
}
