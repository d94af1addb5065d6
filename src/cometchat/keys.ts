/** A REST API key by the name that logs and metrics may say. */
export interface ApiKey {
  readonly name: 'primary' | 'secondary';
  readonly value: string;
}

/** A key that was refused is tried again no sooner. */
const AGAIN_AFTER_MS = 30_000;

/** The REST API keys, and which of them CometChat takes. */
export class ApiKeys {
  readonly #keys: readonly ApiKey[];
  readonly #refusedAt = new Map<ApiKey, number>();
  #current: ApiKey;

  /** @param values one, or two */
  constructor([primary = '', secondary]: readonly string[]) {
    this.#current = { name: 'primary', value: primary };
    this.#keys =
      secondary === undefined ? [this.#current] : [this.#current, { name: 'secondary', value: secondary }];
  }

  /** The one that every call begins with. */
  get current(): ApiKey {
    return this.#current;
  }

  /**
   * Remembers that CometChat has refused a key: calls begin with the other one from now on.
   *
   * @param now in milliseconds, of any clock that does not go back
   * @returns the other, unless there is none or it was refused a short while ago as well
   */
  refuse(key: ApiKey, now: number): ApiKey | undefined {
    this.#refusedAt.set(key, now);
    const other = this.#keys.find((one) => one !== key);
    if (!other) return undefined;
    this.#current = other;
    return now - (this.#refusedAt.get(other) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_MS
      ? undefined
      : other;
  }
}
