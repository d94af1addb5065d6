import rateLimit, { type FastifyRateLimitStore, type RateLimitPluginOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import { minuteAt } from '../base/minute.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { Metrics } from '../operations/metrics.ts';
import { sharedOrLocal } from '../redis/shared-or-local.ts';

const WINDOW_SECONDS = 60;

/** More than the users whom CometChat's quota lets through in a minute. */
const LOCAL_KEYS = 50_000;

export interface RateLimitConfig {
  readonly perMinute: number;
  /** The clock, in UNIX milliseconds; the machine's unless given. */
  readonly now?: () => number;
}

interface Edges {
  /** Where replicas count together. */
  readonly redis: Redis | undefined;
  readonly metrics: Metrics;
}

const EXCEEDED: Counted = { isExceeded: true, remaining: 0 };

export type LimitName = 'user' | 'address';

/** Counts a request; throws `rate-limited` where it is one too many, and says on the reply what is left. */
export type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Makes a limit of so many requests a minute for each key: in Redis where there is one, and in this process
 * where there is none or while it cannot be asked.
 *
 * @param name of what is counted, as clients read it
 * @param keyOf what a request counts for
 */
export async function createLimit(
  app: FastifyInstance,
  name: LimitName,
  keyOf: (request: FastifyRequest) => string,
  { perMinute, now = Date.now }: RateLimitConfig,
  { redis, metrics }: Edges,
): Promise<Limit> {
  const options = {
    max: perMinute,
    timeWindow: WINDOW_SECONDS * 1000,
    keyGenerator: (request: FastifyRequest) => `${minuteAt(now()).number}:${keyOf(request)}`,
  };
  const local = await counter(app, { ...options, cache: LOCAL_KEYS });
  const shared = redis && (await counter(app, { ...options, store: storeIn(redis, `rate:${name}:`) }));

  const together = sharedOrLocal('rate_limit', { log: app.log, metrics }, { limit: name });
  const count = (request: FastifyRequest) =>
    shared
      ? together(
          () => shared(request),
          () => local(request),
        )
      : local(request);

  /** Who is over the limit stays so until the minute ends, and need not be counted any more: a flood costs little. */
  const over = new Set<string>();
  let minute = 0;

  return async (request, reply) => {
    const { number, secondsLeft } = minuteAt(now());
    if (number !== minute) over.clear();
    minute = number;
    const key = keyOf(request);
    const { isExceeded, remaining } = over.has(key) ? EXCEEDED : await count(request);
    // https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    reply.header('ratelimit-policy', `"${name}";q=${perMinute};w=${WINDOW_SECONDS}`);
    reply.header('ratelimit', `"${name}";r=${remaining};t=${secondsLeft}`);
    if (!isExceeded) return;
    // Looked up again: several may have been counted at once.
    const isRepeated = over.has(key);
    if (minute === number && over.size < LOCAL_KEYS) over.add(key);
    metrics.rateLimited.inc({ limit: name });
    const headers = { 'retry-after': String(secondsLeft) };
    throw new ProblemError('rate-limited', { headers, isRepeated });
  };
}

/** What a counter says: whether this request was one too many, and how many are left. */
interface Counted {
  readonly isExceeded: boolean;
  readonly remaining: number;
}

/** One of the plugin's counters, in a scope of its own: it takes one store, and decorates with one function. */
async function counter(app: FastifyInstance, options: RateLimitPluginOptions) {
  let count: unknown;
  await app.register(async (scope) => {
    await scope.register(rateLimit, { ...options, global: false });
    count = scope.createRateLimit();
  });
  // There is no list of those whom no limit holds, for whom it would say nothing.
  return count as (request: FastifyRequest) => Promise<Counted>;
}

/**
 * A store for the plugin. Its own one in Redis throws where no promise can catch it when a reply is not what it
 * expects; and since every minute has its own keys, this one needs no script.
 */
function storeIn(redis: Redis, prefix: string) {
  return class implements FastifyRateLimitStore {
    incr(key: string, done: Parameters<FastifyRateLimitStore['incr']>[1], ttl: number): void {
      const name = prefix + key;
      // In this order nothing that is lost on the way leaves a key without an end.
      const commands = [redis.set(name, 0, 'PX', ttl, 'NX'), redis.incr(name)];
      Promise.all(commands).then(([, current]) => {
        const counted = Number.isSafeInteger(current);
        done(counted ? null : new Error('Redis has not counted'), { current: Number(current), ttl });
      }, done);
    }

    /* c8 ignore start -- for limits of single routes, of which there are none */
    child(): FastifyRateLimitStore {
      return this;
    }
    /* c8 ignore stop */
  };
}
