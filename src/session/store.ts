import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { errorType } from '../base/error-type.ts';
import type { Metrics } from '../base/services.ts';
import { redisFailures } from '../redis/shared-or-local.ts';
import { refused } from './reasons.ts';

/** What Redis holds of a session: a document, and whether it ends by itself. */
interface StoredSession {
  readonly text: string;
  readonly hasTtl: boolean;
}

/**
 * Reads what the company's own back end writes to Redis about sessions. While Redis is unavailable nobody is let in: find()
 * and isRevoked() then throw `session-store-unavailable`.
 */
export class SessionStore {
  readonly #redis: Redis;
  readonly #failures: Readonly<Record<'session' | 'revocation', () => void>>;

  constructor(redis: Redis, metrics: Metrics) {
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
    return text === null ? undefined : { text, hasTtl: ttl >= 0 };
  }

  /** Whether the JWT of this id was revoked: the key `revoked:<jti>` exists. */
  async isRevoked(jti: string): Promise<boolean> {
    return (await this.#ask('revocation', () => this.#redis.exists(`revoked:${jti}`))) > 0;
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
