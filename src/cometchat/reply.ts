import type { IncomingHttpHeaders } from 'node:http';
import type { Reply } from '../base/http-client.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Operation } from './call.ts';
import { readErrorCode } from './conversation.ts';
import { failedExchange, failedReply } from './errors.ts';
import type { Outcome, QuotaReport } from './outcome.ts';

/** The two spellings of CometChat's documentation. */
const SPELLINGS = [
  ['x-rate-limit', 'x-rate-limit-remaining', 'x-rate-limit-reset'],
  ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
] as const;

/** The wait that CometChat's documentation tells clients where it names no time. */
const DEFAULT_SECONDS = 60;
/** Bounds of every wait: so that nobody hammers, and that a wrong clock locks nobody out. */
const MIN_SECONDS = 1;
const MAX_SECONDS = 3600;

/**
 * Decides by the body what a reply of CometChat's means; by the status where the body says nothing.
 *
 * @param read how the operation reads a success
 * @param now in UNIX seconds
 */
export function interpret<T>(reply: Reply, read: Operation<T>['read'], now: number): Outcome<T> {
  const quota = readQuota(reply.headers);
  const outcome = outcomeOf(reply, read, now);
  return quota ? { ...outcome, quota } : outcome;
}

function outcomeOf<T>({ status, headers, body }: Reply, read: Operation<T>['read'], now: number): Outcome<T> {
  const document = parseJson(headers, body);
  const code = readErrorCode(document);
  if (status >= 200 && status < 300 && code === undefined) {
    const reading = document === undefined ? { mismatch: 'no JSON' } : read(document);
    if ('value' in reading) return { ok: true, status, ...reading };
    return { ...failedExchange('reply_invalid'), status, mismatch: reading.mismatch };
  }
  // Not followed: the key would go along to wherever it points.
  if (status >= 300 && status < 400) return { ...failedExchange('redirect'), status };
  const failure = failedReply(status, code);
  const wait = WAITS[failure.problem]?.(headers, now);
  return { ...failure, ...(wait !== undefined && { retryAfterSeconds: wait }) };
}

/** The problems that waiting may help with, and how long. */
const WAITS: Partial<Record<ProblemCode, typeof retryAfterSeconds>> = {
  'cometchat-busy': rateLimitSeconds,
  'cometchat-failed': retryAfterSeconds,
};

/** Keeps a byte-order mark, which JSON.parse() then refuses, as it should (RFC 8259, section 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns the parsed body, or undefined where it is no JSON */
function parseJson(headers: IncomingHttpHeaders, bytes: Uint8Array): unknown {
  const type = headers['content-type'];
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}

/** @returns the quota in either spelling; undefined where one of the three fields is missing or no number */
export function readQuota(headers: IncomingHttpHeaders): QuotaReport | undefined {
  for (const names of SPELLINGS) {
    const [limit, remaining, reset] = names.map((name) => wholeNumber(headers[name]));
    if (limit && remaining !== undefined && reset !== undefined) return { limit, remaining, reset };
  }
  return undefined;
}

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

const wholeNumber = (value: string | string[] | undefined): number | undefined =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
