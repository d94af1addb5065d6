import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { errorType } from '../base/error-type.ts';
import { type HttpClient, httpClient } from '../base/http-client.ts';
import type { Services } from '../base/services.ts';
import { MAX_BYTES, readKeySet } from './key-set.ts';
import { refused } from './reasons.ts';

/** When the keys are fetched, in milliseconds. */
export const SCHEDULE = {
  /** After a fetch that went well: so long may a key that was withdrawn still be accepted. */
  refreshMs: 5 * 60_000,
  /** After a fetch that failed, and between two fetches for a token that none of the keys has signed. */
  cooldownMs: 10_000,
  /** How long the last good keys are used while the provider cannot be reached. */
  maxStaleMs: 24 * 3600_000,
  /** How long one fetch may take, and with it the start. */
  timeoutMs: 3000,
};

type KeyArguments = Parameters<JWTVerifyGetKey>;
type Key = Awaited<ReturnType<ReturnType<typeof createRemoteJWKSet>>>;

/**
 * The public keys of an identity provider: fetched at the start and every few minutes, and once more for a token
 * that none of them has signed.
 * jose keeps them. Its own cooldown counts from the last success, so when to fetch is decided here.
 */
export class RemoteKeys {
  readonly #services: Pick<Services, 'log'>;
  readonly #fetches;
  readonly #schedule: typeof SCHEDULE;
  readonly #now: () => number;
  readonly #http: HttpClient;
  readonly #set: ReturnType<typeof createRemoteJWKSet>;
  /** The key set in use. */
  #text: string | undefined;
  #coolingSince = Number.NEGATIVE_INFINITY;
  /** Whether the last fetch went well; undefined before the first. */
  #isReachable: boolean | undefined;
  #pending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /**
   * @param url as parseJwksUrl() gives it
   * @param now a clock that never jumps, in milliseconds
   */
  constructor(
    url: string,
    services: Pick<Services, 'log' | 'metrics'>,
    schedule = SCHEDULE,
    now = () => performance.now(),
  ) {
    this.#services = services;
    this.#fetches = services.metrics.counter(
      'session_key_fetches_total',
      'Fetches of the keys that sessions are signed with, by result',
      { result: ['ok', 'failed'] },
    );
    this.#schedule = schedule;
    this.#now = now;
    this.#http = httpClient(url, { totalMs: schedule.timeoutMs, maxBytes: MAX_BYTES });
    this.#set = createRemoteJWKSet(new URL(url), {
      cacheMaxAge: schedule.maxStaleMs,
      // jose never fetches by itself.
      cooldownDuration: Number.POSITIVE_INFINITY,
      timeoutDuration: schedule.timeoutMs,
      [customFetch]: (href) => this.#fetch(href),
    });
  }

  /**
   * Finds the key that a token's header asks for.
   *
   * @throws JOSEError where the provider has no such key, or several, which are then in the error; ProblemError `session-store-unavailable` where that cannot be
   *   known
   */
  async find(...[header, token]: KeyArguments): Promise<Key> {
    try {
      return await this.#keyFor(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#fetchOnDemand();
    try {
      return await this.#keyFor(header, token);
    } catch (cause) {
      if (this.#isReachable) throw cause;
      const cooling = this.#coolingSince + this.#schedule.cooldownMs - this.#now();
      const headers = { 'retry-after': String(Math.max(1, Math.ceil(cooling / 1000))) };
      throw refused('unchecked', { headers, cause, errorType: errorType(cause) });
    }
  }

  /** Whether the keys are other ones than `inUse` was. Where they are not, they are fetched, unless they just were. */
  async haveChanged(inUse: string | undefined): Promise<boolean> {
    if (inUse === this.inUse) await this.#fetchOnDemand();
    return inUse !== this.inUse;
  }

  /** Fetches the keys, and goes on doing so; never throws. Several calls at once make one fetch. */
  refresh(): Promise<void> {
    this.#pending ??= this.#refresh().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#http.close();
  }

  /** The keys that may be used now, if any, as a text that is another one for other keys. */
  get inUse(): string | undefined {
    return this.#set.fresh ? this.#text : undefined;
  }

  async #keyFor(...[header, token]: KeyArguments): Promise<Key> {
    if (!this.#set.fresh) throw new errors.JWKSNoMatchingKey('there are no keys at hand');
    return this.#set(header, token);
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
    const { log } = this.#services;
    try {
      await this.#set.reload();
      const text = JSON.stringify(this.#set.jwks());
      // The same object where nothing has changed, so that comparing it costs nothing.
      if (text !== this.#text) this.#text = text;
      if (this.#isReachable === false) log.info('the keys of SESSION_JWKS_URL are there again');
      this.#isReachable = true;
      this.#fetches.inc({ result: 'ok' });
    } catch (error) {
      // A fetch that close() cuts off has not failed.
      if (!this.#isClosed) this.#onFailed(error);
    }
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    const { refreshMs, cooldownMs } = this.#schedule;
    this.#timer = setTimeout(() => void this.refresh(), this.#isReachable ? refreshMs : cooldownMs).unref();
  }

  #onFailed(error: unknown): void {
    this.#coolingSince = this.#now();
    this.#isReachable = false;
    this.#fetches.inc({ result: 'failed' });
    // Without any key nobody gets in, and it may well be the address that is wrong.
    const level = this.inUse === undefined ? 'error' : 'warn';
    const fields = { error: { type: errorType(error) } };
    this.#services.log[level](fields, 'the keys of SESSION_JWKS_URL could not be fetched');
  }

  async #fetch(href: string): Promise<Response> {
    return Response.json(await readKeySet(await this.#http.send(href)));
  }
}
