import { createHash } from 'node:crypto';
import { errorType } from '../base/error-type.ts';
import type { Metrics, RedisClient } from '../base/services.ts';
import { redisFailures } from '../redis/shared-or-local.ts';
import { refused } from './reasons.ts';

/** What Redis holds of a session: a document, and whether it ends by itself. */
interface StoredSession {
  readonly text: string;
  readonly hasTtl: boolean;
}

/** What Redis holds of a JWT's end. */
interface StoredRevocation {
  readonly isRevoked: boolean;
  /** Up to when tokens of its user were issued that are good no more. */
  readonly before: string | undefined;
}

/** What PTTL says of a key that is not there. */
const GONE = -2;

/**
 * Reads what the company's own back end writes to Redis about sessions. While Redis is unavailable nobody is let in: find()
 * and revocation() then throw `session-store-unavailable`.
 */
export class SessionStore {
  readonly #redis: RedisClient;
  readonly #failures: Readonly<Record<'session' | 'revocation', () => void>>;

  constructor(redis: RedisClient, metrics: Metrics) {
    this.#redis = redis;
    this.#failures = {
      session: redisFailures(metrics, 'session'),
      revocation: redisFailures(metrics, 'revocation'),
    };
  }

  /** Looks an opaque session up at `session:<sha256 hex of the token>`, so that a reader of Redis cannot use it. */
  async find(token: string): Promise<StoredSession | undefined> {
    const key = `session:${createHash('sha256').update(token).digest('hex')}`;
    const [text, ttl] = await this.#ask('session', () =>
      Promise.all([this.#redis.get(key), this.#redis.pttl(key)]),
    );
    // It may end between the two.
    return text === null || ttl === GONE ? undefined : { text, hasTtl: ttl >= 0 };
  }

  /**
   * What is known of a JWT: whether the key `revoked:<jti>` exists, and the text at `revoked-before:<sub>`. One wait for both.
   * Two commands, because the keys may be in two places of a Cluster.
   */
  async revocation(jti: string | undefined, sub: string | undefined): Promise<StoredRevocation> {
    const [count, before] = await this.#ask('revocation', () =>
      Promise.all([
        jti === undefined ? 0 : this.#redis.exists(`revoked:${jti}`),
        sub === undefined ? null : this.#redis.get(`revoked-before:${sub}`),
      ]),
    );
    return { isRevoked: count > 0, before: before ?? undefined };
  }

  /** Whether sessions can be looked up right now. */
  isAvailable(): Promise<boolean> {
    return this.#redis.get('session:').then(
      () => true,
      () => false,
    );
  }

  async #ask<T>(use: 'session' | 'revocation', command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (cause) {
      this.#failures[use]();
      throw refused('unchecked', { cause, errorType: errorType(cause) });
    }
  }
}
