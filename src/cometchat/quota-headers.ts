import type { IncomingHttpHeaders } from 'node:http';

/** What CometChat says of the app's quota, of all of its callers together. */
export interface QuotaReport {
  readonly limit: number;
  readonly remaining: number;
  /** When the quota is whole again, in UNIX seconds. */
  readonly reset: number;
}

/** The two spellings of CometChat's documentation. */
const SPELLINGS = [
  ['x-rate-limit', 'x-rate-limit-remaining', 'x-rate-limit-reset'],
  ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
] as const;

/** @returns what the headers of a reply say in either spelling; undefined where one of the three is missing or no number */
export function readQuota(headers: IncomingHttpHeaders): QuotaReport | undefined {
  for (const names of SPELLINGS) {
    const [limit, remaining, reset] = names.map((name) => wholeNumber(headers[name]));
    if (limit && remaining !== undefined && reset !== undefined) return { limit, remaining, reset };
  }
  return undefined;
}

/** @returns the number that a header field is, if it is one */
export const wholeNumber = (value: string | string[] | undefined): number | undefined =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
