import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { callerOf } from '../base/caller.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Services } from '../base/services.ts';
import { addressOf } from '../http/client-address.ts';
import { replyWithProblem } from '../http/problem-replies.ts';
import { MINUTE_MS, MinuteCounter, minuteAt } from '../redis/minute-counter.ts';

/** A bound on memory, for each set: more than the users that CometChat's quota lets through in a minute. */
const MAX_REMEMBERED = 50_000;

const NAMES = ['user', 'address'] as const;

/** A limit of requests for each key in a minute of the clock. */
class Limit {
  readonly #name: (typeof NAMES)[number];
  readonly #perMinute: number;
  readonly #services: Services;
  readonly #counter: MinuteCounter;
  readonly #limited;
  /** The keys beyond the limit in this minute. They are refused at once, without asking Redis, so a flood costs little. */
  readonly #exceeded = new Set<string>();
  /**
   * The keys whose count was given back in this minute. Their sessions are checked before they are counted: many requests at
   * once of a revoked session would otherwise take up the limit of the user's good ones, until Redis has answered.
   */
  readonly #checkedFirst = new Set<string>();
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

  /**
   * Counts a request; throws `rate-limited` where it is one too many, and says on the reply what is left.
   *
   * @param revocation of the session, which Redis is asked about meanwhile. Where it was revoked, that is thrown, and nothing
   *   counts
   */
  async count(key: string, reply: FastifyReply, revocation?: FastifyRequest['revocation']): Promise<void> {
    const { number, secondsLeft } = minuteAt(this.#services.seams.now());
    if (number !== this.#minute) for (const keys of [this.#exceeded, this.#checkedFirst]) keys.clear();
    this.#minute = number;
    const isRefused = this.#checkedFirst.has(key) && Boolean(await revocation);
    let tally = isRefused || this.#exceeded.has(key) ? undefined : await this.#counter.add(key);
    const refusal = revocation && (await revocation);
    if (refusal) {
      if (tally) {
        tally.takeBack();
        // A good request may have met this count.
        this.#exceeded.delete(key);
      }
      this.#remember(this.#checkedFirst, key, number);
      throw refusal;
    }
    if (revocation && tally && tally.count > this.#perMinute && this.#checkedFirst.has(key)) {
      // Some of the count has just been given back.
      tally.takeBack();
      tally = await this.#counter.add(key);
    }
    const left = tally ? this.#perMinute - tally.count : -1;
    if (left < 0) throw this.#refusal(key, number, secondsLeft);
    reply.headers(this.#headers(left, secondsLeft));
  }

  /** Counts a request of a key that is known to be beyond the limit. @returns `rate-limited`; undefined for other keys */
  refuseKnown(key: string): ProblemError | undefined {
    if (!this.#exceeded.has(key)) return undefined;
    const { number, secondsLeft } = minuteAt(this.#services.seams.now());
    return number === this.#minute ? this.#refusal(key, number, secondsLeft) : undefined;
  }

  #refusal(key: string, minute: number, secondsLeft: number): ProblemError {
    this.#remember(this.#exceeded, key, minute);
    this.#limited.inc({ limit: this.#name });
    const headers = { ...this.#headers(0, secondsLeft), 'retry-after': String(secondsLeft) };
    return new ProblemError('rate-limited', { headers });
  }

  /** https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
  #headers(left: number, secondsLeft: number): Record<string, string> {
    return {
      'ratelimit-policy': `"${this.#name}";q=${this.#perMinute};w=${MINUTE_MS / 1000}`,
      ratelimit: `"${this.#name}";r=${left};t=${secondsLeft}`,
    };
  }

  #remember(keys: Set<string>, key: string, minute: number): void {
    if (this.#minute === minute && keys.size < MAX_REMEMBERED) keys.add(key);
  }
}

interface LimitsOptions {
  /** Requests of each user, and failures of each address. */
  readonly perMinute: number;
  readonly services: Services;
}

/** How much may a user do, and how often may an address fail? Beyond that, the answer is `rate-limited`. */
export const limits = fp(async (scope: FastifyInstance, { perMinute, services }: LimitsOptions) => {
  const user = new Limit('user', perMinute, services);
  const address = new Limit('address', perMinute, services);
  // A flood is made of keys that are known to be beyond a limit. They are refused at once, unless the session may turn out to be
  // revoked.
  scope.addHook('onRequest', (request, reply, done) => {
    const { onBehalfOf } = callerOf(request);
    const refusal = request.revocation ? undefined : user.refuseKnown(onBehalfOf);
    if (refusal) return done(refusal);
    user.count(onBehalfOf, reply, request.revocation).then(() => done(), done);
  });
  scope.setErrorHandler((error, request, reply) => {
    const answer = (failure: unknown) => replyWithProblem(failure, request, reply);
    const countAndAnswer = (failure: unknown) => {
      if (!isStrangersFailure(failure, request)) return answer(failure);
      const key = addressOf(request);
      const refusal = address.refuseKnown(key);
      if (refusal) return answer(refusal);
      address.count(key, reply).then(() => answer(failure), answer);
    };
    if (!request.revocation) return countAndAnswer(error);
    // A revoked session is answered as revoked, even where another check has failed first.
    request.revocation.then((refusal) => countAndAnswer(refusal ?? error), answer);
  });
});

/** Problems of sessions that were genuine. They do not count: the app must be told to refresh the session. */
const ALREADY_PROVEN: ReadonlySet<ProblemCode> = new Set(['session-expired', 'session-revoked']);

/**
 * Only failures count against an address, and only after the session was looked at. So the good sessions behind one address,
 * an office's or a carrier's, never pay for a bad neighbour.
 */
const isStrangersFailure = (error: unknown, { caller }: FastifyRequest): boolean =>
  !caller &&
  error instanceof ProblemError &&
  // Session and identity refuse with these; other errors count against nobody.
  (error.status === 401 || error.status === 403) &&
  !ALREADY_PROVEN.has(error.code);
