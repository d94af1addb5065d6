import { derived, type Rotating } from '../base/rotating.ts';
import type { Services } from '../base/services.ts';
import type { Send } from './call.ts';
import type { Attempt } from './exchange.ts';

const NAMES = ['primary', 'secondary'] as const;

/** A REST API key, by the name that logs and metrics may say. */
export interface ApiKey {
  readonly name: (typeof NAMES)[number];
  readonly value: string;
}

/** A refused key is not tried in place of the other any sooner: with both refused a call has one exchange. */
const AGAIN_AFTER_MS = 1000;
/** The first key is used again so long after it was refused: it may have been mended, or not have been at fault. */
const BACK_AFTER_MS = 300_000;
/** The operator hears so often of a key that is refused again and again. */
const NEWS_AFTER_MS = 60_000;

/** The REST API keys, and which of them CometChat accepts. */
export class ApiKeys {
  readonly #keys: readonly ApiKey[];
  readonly #refusedAt = new Map<ApiKey, number>();
  readonly #toldAt = new Map<ApiKey, number>();
  #current: ApiKey;

  /** @param values one, or two */
  constructor([primary = '', secondary]: readonly string[]) {
    this.#current = { name: 'primary', value: primary };
    this.#keys =
      secondary === undefined ? [this.#current] : [this.#current, { name: 'secondary', value: secondary }];
  }

  /** The key that calls begin with. */
  get current(): ApiKey {
    return this.#current;
  }

  /**
   * @param now in milliseconds, of any clock that does not go back
   * @returns the key to begin a call with
   */
  begin(now: number): ApiKey {
    const [primary = this.#current] = this.#keys;
    if (now - since(this.#refusedAt, primary) >= BACK_AFTER_MS) this.#current = primary;
    return this.#current;
  }

  /**
   * Takes note that CometChat has refused a key: calls begin with the other one from now on. A key that is none of these,
   * because it was replaced during the call, says nothing about them.
   *
   * @param now as in begin()
   * @returns the other key, unless there is none or it was refused just now as well; and whether the operator should hear
   */
  refuse(key: ApiKey, now: number): { other: ApiKey | undefined; isNews: boolean } {
    if (!this.#keys.includes(key)) return { other: this.#current, isNews: false };
    const isNews = now - since(this.#toldAt, key) >= NEWS_AFTER_MS;
    if (isNews) this.#toldAt.set(key, now);
    this.#refusedAt.set(key, now);
    const other = this.#keys.find((one) => one !== key);
    if (!other) return { other, isNews };
    this.#current = other;
    const isRefused = now - since(this.#refusedAt, other) < AGAIN_AFTER_MS;
    return { other: isRefused ? undefined : other, isNews };
  }
}

const since = (times: ReadonlyMap<ApiKey, number>, key: ApiKey) => times.get(key) ?? Number.NEGATIVE_INFINITY;

/**
 * A step: gives a call its API key, and sends it once more where CometChat refuses the first key and there is another.
 *
 * @param attemptTimeoutMs for both exchanges together
 */
export function withApiKey(
  send: Send<Attempt>,
  values: Rotating<readonly string[]>,
  attemptTimeoutMs: number,
  { log, metrics, seams: { clock } }: Services,
): Send {
  const keys = derived(values, (current) => new ApiKeys(current));
  const refusals = metrics.counter(
    'api_key_refusals_total',
    'Times that CometChat refused an API key of the gateway',
    { key: NAMES },
  );
  metrics.gauge('api_key_in_use', '1 for the API key that calls begin with', ['key'], (gauge) => {
    for (const name of NAMES) gauge.set({ key: name }, Number(name === keys().current.name));
  });
  return async (call) => {
    const endsAt = Math.min(clock.now() + attemptTimeoutMs, call.waiters.deadline);
    let key = keys().begin(clock.now());
    for (;;) {
      const outcome = await send({ ...call, apiKey: key.value, endsAt });
      if (outcome.ok || !outcome.isKeyRefused) return outcome;
      refusals.inc({ key: key.name });
      const { other, isNews } = keys().refuse(key, clock.now());
      if (isNews) log.error({ key: key.name, instead: other?.name }, 'CometChat refuses an API key');
      if (!other) return outcome;
      key = other;
    }
  };
}
