import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import { httpClient } from '../base/http-client.ts';
import type { Rotating } from '../base/rotating.ts';
import type { Services } from '../base/services.ts';
import { withApiKey } from './api-keys.ts';
import { countAttempts } from './attempts.ts';
import { Breaker } from './breaker.ts';
import {
  type Client,
  callOf,
  type Operation,
  type Requester,
  type Result,
  type Run,
  type Send,
  Waiters,
} from './call.ts';
import { exchange, MAX_REPLY_BYTES } from './exchange.ts';
import { Lanes } from './lanes.ts';
import { leasesOf } from './lease.ts';
import { pathsOf, type Target } from './operations.ts';
import { rejected } from './outcome.ts';
import { Quota } from './quota.ts';
import { withRetries } from './retries.ts';

export interface CometChatConfig {
  /** With the API version's path and without a slash at its end. */
  readonly baseUrl: string;
  /** The first is used until CometChat refuses it; there may be a second. */
  readonly apiKeys: Rotating<readonly string[]>;
  /** Of one request, all attempts included. */
  readonly deadlineMs: number;
  readonly attemptTimeoutMs: number;
  /** Calls that run or wait at once. */
  readonly maxConcurrency: number;
  readonly callsPerMinute: number;
}

export type CometChat = ReturnType<typeof cometChatClient>;

/** The way to CometChat. Each step wraps the one before it, so a call meets them from the last to the first. */
export function cometChatClient(config: CometChatConfig, services: Services) {
  const { baseUrl, apiKeys, attemptTimeoutMs, deadlineMs } = config;
  const { clock, lookup } = services.seams;
  const http = httpClient(baseUrl, { totalMs: attemptTimeoutMs, maxBytes: MAX_REPLY_BYTES, lookup });
  const breaker = new Breaker(services);
  const quota = new Quota(config.callsPerMinute, services);
  const slots = bulkhead(config.maxConcurrency);
  const leaseOf = services.redis && leasesOf(services.redis, attemptTimeoutMs, services);

  const sendOnce = exchange(http, baseUrl, services);
  let send: Send = withApiKey(sendOnce, apiKeys, attemptTimeoutMs, services);
  send = countAttempts(send, services);
  send = breaker.around(send);
  send = quota.around(send);
  const run = within(slots, withRetries(services));

  // A write that would be refused anyway supersedes nothing.
  const refusal = ({ onBehalfOf }: Requester, target: Target) =>
    overload(slots) ??
    breaker.refusal({ user: onBehalfOf, partner: pathsOf(target).partner }) ??
    quota.refusal();
  const lanes = new Lanes({
    send,
    run,
    refusal,
    leaseOf,
    attemptTimeoutMs,
    deadlineMs,
    metrics: services.metrics,
    clock,
  });

  return {
    /** @returns when a request must have its answer that has taken so many milliseconds already, by the clock */
    deadline: (spentMs: number): number => clock.now() + deadlineMs - spentMs,
    lanes,
    /** Sends an operation that changes nothing. Never throws for anything that CometChat, the network or Redis does. */
    async read<T>(operation: Operation<T>, requester: Requester & Client): Promise<Result<T>> {
      const waiters = new Waiters(clock);
      const call = callOf(operation, requester, waiters);
      const outcome = await waiters.join(() => run({ waiters, attempt: () => send(call) }), requester);
      return { outcome, retried: waiters.retried, isJoined: false };
    },
    /** Whether CometChat is called right now, and if not, why. */
    get state(): 'ok' | 'failing' | 'busy' {
      if (breaker.isOpen) return 'failing';
      return quota.callsLeft === 0 ? 'busy' : 'ok';
    },
    /** Closes the connections. */
    close: http.close,
  };
}

const overload = (slots: BulkheadPolicy) =>
  slots.executionSlots === 0 ? rejected('gateway-overloaded') : undefined;

/** Limits the calls in hand at once. */
const within =
  (slots: BulkheadPolicy, run: Run): Run =>
  async (job) =>
    overload(slots) ?? slots.execute(() => run(job));
