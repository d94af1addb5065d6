import type { FastifyBaseLogger } from 'fastify';
import { createLocalJWKSet, errors, type JWK, type JWTHeaderParameters, type JWTVerifyGetKey } from 'jose';
import { boundedHttp } from '../base/http-client.ts';
import { ProblemError } from '../base/problem-error.ts';
import { errorType } from '../operations/log.ts';
import type { Metrics } from '../operations/metrics.ts';

/** A provider's key set has a few keys of some hundred bytes each. */
const MAX_BYTES = 64 * 1024;

/** When the keys are fetched, in milliseconds. */
export const SCHEDULE = {
  /** After a fetch that went well: so long may a key that was withdrawn still be taken. */
  refreshMs: 5 * 60_000,
  /** After a fetch that failed, and between two fetches for the sake of an unknown `kid`. */
  cooldownMs: 10_000,
  /** How long the last good keys are used while the provider cannot be reached. */
  maxStaleMs: 24 * 3600_000,
  /** How long one fetch may take, and with it the start. */
  timeoutMs: 3000,
};

type Key = Awaited<ReturnType<ReturnType<typeof createLocalJWKSet>>>;

/**
 * The public keys of an identity provider: fetched at the start and every few minutes, and once more for a
 * `kid` that nobody has seen. jose's own remote set counts its cooldown from the last success, and forgets
 * its keys when the provider is down.
 */
export class RemoteKeys {
  readonly #url: string;
  readonly #log: FastifyBaseLogger;
  readonly #metrics: Metrics;
  readonly #schedule: typeof SCHEDULE;
  readonly #now: () => number;
  readonly #http: ReturnType<typeof boundedHttp>;
  #keys: JWTVerifyGetKey | undefined;
  /** What they were read from. */
  #text: string | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #coolingSince = Number.NEGATIVE_INFINITY;
  /** Whether the last fetch went well; undefined before the first. */
  #reachable: boolean | undefined;
  #pending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param url as parseJwksUrl() gives it
   * @param now a clock that never jumps, in milliseconds
   */
  constructor(
    url: string,
    { log, metrics }: { log: FastifyBaseLogger; metrics: Metrics },
    schedule = SCHEDULE,
    now = () => performance.now(),
  ) {
    this.#url = url;
    this.#log = log;
    this.#metrics = metrics;
    this.#schedule = schedule;
    this.#now = now;
    this.#http = boundedHttp({ totalMs: schedule.timeoutMs, maxBytes: MAX_BYTES });
  }

  /**
   * Finds the key that a token's header asks for.
   *
   * @throws JOSEError where the provider has no such key; ProblemError `session-store-unavailable` where that
   *   cannot be known
   */
  async find(header: JWTHeaderParameters, token: Parameters<JWTVerifyGetKey>[1]): Promise<Key> {
    try {
      return await this.#keyFor(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#fetchOnDemand();
    try {
      return await this.#keyFor(header, token);
    } catch (error) {
      if (this.#reachable) throw error;
      const cooling = this.#coolingSince + this.#schedule.cooldownMs - this.#now();
      const headers = { 'retry-after': String(Math.max(1, Math.ceil(cooling / 1000))) };
      throw new ProblemError('session-store-unavailable', { headers, cause: error });
    }
  }

  /** Fetches the keys, and goes on doing so; never throws. Several calls at once make one fetch. */
  refresh(): Promise<void> {
    this.#pending ??= this.#refresh().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** The keys that may be used now, if any: another object when others were fetched. */
  get inUse(): JWTVerifyGetKey | undefined {
    return this.#now() - this.#fetchedAt <= this.#schedule.maxStaleMs ? this.#keys : undefined;
  }

  async #keyFor(...[header, token]: Parameters<JWTVerifyGetKey>): Promise<Key> {
    const keys = this.inUse;
    if (!keys) throw new errors.JWKSNoMatchingKey('there are no keys at hand');
    return (await keys(header, token)) as Key;
  }

  async #fetchOnDemand(): Promise<void> {
    if (!this.#pending) {
      const now = this.#now();
      if (now - this.#coolingSince < this.#schedule.cooldownMs) return;
      this.#coolingSince = now;
    }
    await this.refresh();
  }

  async #refresh(): Promise<void> {
    try {
      this.#keys = await this.#fetch();
      this.#fetchedAt = this.#now();
      if (this.#reachable === false) this.#log.info('the keys of SESSION_JWKS_URL are there again');
      this.#reachable = true;
      this.#metrics.keyFetches.inc({ result: 'ok' });
    } catch (error) {
      this.#coolingSince = this.#now();
      this.#reachable = false;
      this.#metrics.keyFetches.inc({ result: 'failed' });
      // Without any key nobody gets in, and it may well be the address that is wrong.
      const level = this.inUse ? 'warn' : 'error';
      this.#log[level](
        { error: { type: errorType(error) } },
        'the keys of SESSION_JWKS_URL could not be fetched',
      );
    }
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const { refreshMs, cooldownMs } = this.#schedule;
    this.#timer = setTimeout(() => void this.refresh(), this.#reachable ? refreshMs : cooldownMs).unref();
  }

  async #fetch(): Promise<JWTVerifyGetKey> {
    const { status, body } = await this.#http(this.#url);
    if (status !== 200) throw Object.assign(new Error('not 200'), { code: String(status) });
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    // Tokens that were verified with them are remembered, and jose keeps them imported.
    if (this.#keys && text === this.#text) return this.#keys;
    const set = JSON.parse(text);
    const keys = createLocalJWKSet(set);
    // A provider that has no key to sign with has lost them, and does not mean to sign everybody out.
    if (!set.keys.some(isForSignatures)) throw new errors.JWKSInvalid('it has no key for signatures');
    this.#text = text;
    return keys;
  }
}

const isForSignatures = ({ kty, use = 'sig' }: JWK) => use === 'sig' && /^(?:RSA|EC|OKP)$/.test(String(kty));
