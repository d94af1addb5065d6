import type { ApiKeyName } from '../operations/metrics.ts';

/** A REST API key by the name that logs and metrics may say. */
export interface ApiKey {
  readonly name: ApiKeyName;
  readonly value: string;
}

/** A key that was refused is not tried in place of the other any sooner: with both refused a call has one try. */
const AGAIN_AFTER_MS = 1000;
/** The first key is asked for again so long after it was refused: it may have been mended, or not have been at fault. */
const BACK_AFTER_MS = 300_000;
/** The operator hears of a key that is refused again and again only so often. */
const NEWS_AFTER_MS = 60_000;

/** The REST API keys, and which of them CometChat takes. */
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

  /** The one that calls begin with. */
  get current(): ApiKey {
    return this.#current;
  }

  /**
   * Begins a call.
   *
   * @param now as in refuse()
   * @returns the key to send it with
   */
  begin(now: number): ApiKey {
    const [primary = this.#current] = this.#keys;
    if (now - since(this.#refusedAt, primary) >= BACK_AFTER_MS) this.#current = primary;
    return this.#current;
  }

  /**
   * Remembers that CometChat has refused a key: calls begin with the other one from now on. A key that is none of
   * these, since they have been replaced while it was under way, is no news and says nothing about them.
   *
   * @param now in milliseconds, of any clock that does not go back
   * @returns the other, unless there is none or it was refused just now as well; and whether the operator should hear
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
