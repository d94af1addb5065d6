import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { callerOf } from '../base/caller.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Services } from '../base/services.ts';
import { addressOf } from '../http/client-address.ts';
import { MINUTE_MS, MinuteCounter, minuteAt } from '../redis/minute-counter.ts';

/** More than the users that CometChat's quota lets through in a minute. */
const MAX_EXCEEDED = 50_000;

const NAMES = ['user', 'address'] as const;

/** A limit of requests for each key in a minute of the clock. */
class Limit {
  readonly #name: (typeof NAMES)[number];
  readonly #perMinute: number;
  readonly #services: Services;
  readonly #counter: MinuteCounter;
  readonly #limited;
  /** Keys beyond the limit stay so until the minute ends, and are not counted any more: a flood costs little. */
  readonly #exceeded = new Set<string>();
  #minute = 0;

  constructor(name: (typeof NAMES)[number], perMinute: number, services: Services) {
    this.#name = name;
    this.#perMinute = perMinute;
    this.#services = services;
    this.#counter = new MinuteCounter(`rate:v2:${name}`, 'rate_limit', services, { limit: name });
    this.#limited = services.metrics.counter(
      'rate_limited_total',
      'Requests beyond a limit, by the limit: one user’s or one address’s',
      { limit: NAMES },
    );
  }

  /** Counts a request; throws `rate-limited` where it is one too many, and says on the reply what is left. */
  async count(key: string, reply: FastifyReply): Promise<void> {
    const { number, secondsLeft } = minuteAt(this.#services.seams.now());
    if (number !== this.#minute) this.#exceeded.clear();
    this.#minute = number;
    const left = this.#exceeded.has(key) ? -1 : this.#perMinute - (await this.#counter.add(key)).count;
    // https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    reply.header('ratelimit-policy', `"${this.#name}";q=${this.#perMinute};w=${MINUTE_MS / 1000}`);
    reply.header('ratelimit', `"${this.#name}";r=${Math.max(0, left)};t=${secondsLeft}`);
    if (left >= 0) return;
    // Looked up again: several may have been counted at once.
    const isRepeated = this.#exceeded.has(key);
    if (this.#minute === number && this.#exceeded.size < MAX_EXCEEDED) this.#exceeded.add(key);
    this.#limited.inc({ limit: this.#name });
    throw new ProblemError('rate-limited', { headers: { 'retry-after': String(secondsLeft) }, isRepeated });
  }
}

interface LimitsOptions {
  /** For each user; and for the failures of each address. */
  readonly perMinute: number;
  readonly services: Services;
}

/** How much may they? Counts each request of a user, and the failures of each address, or throws `rate-limited`. */
export const limits = fp(async (scope: FastifyInstance, { perMinute, services }: LimitsOptions) => {
  const user = new Limit('user', perMinute, services);
  const address = new Limit('address', perMinute, services);
  scope.addHook('onRequest', (request, reply) => user.count(callerOf(request).onBehalfOf, reply));
  // What this throws, the error handler of the whole app answers.
  scope.setErrorHandler(async (error, request, reply) => {
    if (isStrangersFailure(error, request)) await address.count(addressOf(request), reply);
    throw error;
  });
});

/**
 * Callers that have proven a session: an app must always be told to refresh it, however many others fail behind the same
 * address.
 */
const ALREADY_PROVEN: ReadonlySet<ProblemCode> = new Set(['session-expired', 'session-revoked']);

/**
 * A failure counts for its address when it has happened, and no request is counted before it is looked at: the good sessions
 * behind one address, an office's or a carrier's, never pay for a bad neighbour.
 */
const isStrangersFailure = (error: unknown, { caller }: FastifyRequest): boolean =>
  !caller &&
  error instanceof ProblemError &&
  // What session and identity throw. A malformed request is nobody's.
  (error.status === 401 || error.status === 403) &&
  !ALREADY_PROVEN.has(error.code);
