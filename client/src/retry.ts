import type { GatewayError } from './errors.ts';

const MAX_ATTEMPTS = 3;
const FIRST_WAIT_MS = 200;

/** Each request is safe to send again. These statuses say that it may succeed a little later. */
const TRANSIENT: readonly unknown[] = [undefined, 408, 429, 503, 504];

/** How long to wait before the next attempt, or Infinity where no other is made. */
export function retryDelayMs({ status, code, retryAfterSeconds }: GatewayError, attempt: number): number {
  const isBadGateway = status === 502 && (code === 'cometchat-failed' || code === 'unknown-reply');
  if (attempt === MAX_ATTEMPTS || !(isBadGateway || TRANSIENT.includes(status)))
    return Number.POSITIVE_INFINITY;
  const backoffMs = FIRST_WAIT_MS * 2 ** (attempt - 1) * (1 + Math.random());
  return Math.max(backoffMs, (retryAfterSeconds ?? 0) * 1000);
}
