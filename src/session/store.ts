import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ProblemError } from '../base/problem-error.ts';
import type { Metrics, RedisUse } from '../operations/metrics.ts';

/** What Redis holds of a session: a document, and whether it ends by itself. */
interface StoredSession {
  readonly text: string;
  readonly hasTtl: boolean;
}

/**
 * What stands in Redis about sessions; the company's own back end writes it. Where Redis cannot be asked,
 * nobody is let in: every method then throws `session-store-unavailable`.
 */
export class SessionStore {
  readonly #redis: Redis;
  readonly #metrics: Metrics;

  constructor(redis: Redis, metrics: Metrics) {
    this.#redis = redis;
    this.#metrics = metrics;
  }

  /** Looks an opaque session up at `session:<sha256 hex of the token>`: who reads Redis cannot use what is there. */
  async find(token: string): Promise<StoredSession | undefined> {
    const key = `session:${createHash('sha256').update(token).digest('hex')}`;
    const [text, ttl] = await this.#ask('session', () =>
      Promise.all([this.#redis.get(key), this.#redis.pttl(key)]),
    );
    return text === null ? undefined : { text, hasTtl: ttl >= 0 };
  }

  /** Whether the JWT of this id has been revoked: something stands at `revoked:<jti>`. */
  async isRevoked(jti: string): Promise<boolean> {
    return (await this.#ask('revocation', () => this.#redis.exists(`revoked:${jti}`))) > 0;
  }

  /** Whether it can be asked for sessions; for whoever wants to know that, and nothing of a session. */
  answers(): Promise<boolean> {
    return this.#redis.get('session:').then(
      () => true,
      () => false,
    );
  }

  async #ask<T>(use: RedisUse, command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (cause) {
      this.#metrics.redisFailures.inc({ use });
      throw new ProblemError('session-store-unavailable', { cause });
    }
  }
}
