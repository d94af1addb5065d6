import type { Clock } from '../base/clock.ts';
import type { RedisClient, Services } from '../base/services.ts';
import { sharedOrLocal } from '../redis/shared-or-local.ts';

/** For a Redis in a failover writes wait so long, and then go on without it. */
const PATIENCE_MS = 2000;
const POLL_MS = 10;
const NEVER = new AbortController().signal;

/** Asks Redis about the order of writes, and in a failover until that is over. */
export class Patience {
  readonly #redis: RedisClient;
  /** Asks once. */
  readonly run: ReturnType<typeof sharedOrLocal>;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** When Redis first failed, of those times that it has not answered since. */
  #outageSince = Number.POSITIVE_INFINITY;

  constructor(redis: RedisClient, services: Services) {
    this.#redis = redis;
    this.run = sharedOrLocal('write_order', services);
    this.#clock = services.seams.clock;
    this.#random = services.seams.random;
  }

  /**
   * An outage that goes on and on is waited for by the first writes alone.
   *
   * @param command may be sent several times
   * @param otherwise what is returned where Redis does not answer, or `ended` comes first
   * @param ended stops the waiting
   */
  async ask<T>(command: () => Promise<T>, otherwise: T, ended = NEVER): Promise<T> {
    const began = this.#clock.now();
    const asked = async () => {
      const is = await command();
      this.#outageSince = Number.POSITIVE_INFINITY;
      return { is };
    };
    while (!ended.aborted) {
      const answer = await this.run<{ is: T } | undefined>(asked, (error) =>
        this.#lasts(error, began) ? undefined : { is: otherwise },
      );
      if (answer) return answer.is;
      await this.pause(ended);
    }
    return otherwise;
  }

  /** Tells Redis what it need not hear: only in a failover it is told again. */
  async tell(command: () => Promise<void>): Promise<void> {
    await command().catch(async (error) => {
      if (this.#isFailover(error)) await this.ask(command, undefined);
    });
  }

  /** Waits a little, so that not all ask again at the same time. */
  async pause(ended: AbortSignal): Promise<void> {
    await this.#clock.wait(POLL_MS * (1 + this.#random()), ended);
  }

  #isFailover(error: unknown): boolean {
    return this.#redis.returnsSoon?.(error) ?? false;
  }

  #lasts(error: unknown, since: number): boolean {
    if (!this.#isFailover(error)) return false;
    const now = this.#clock.now();
    this.#outageSince = Math.min(this.#outageSince, now);
    return now - Math.min(since, this.#outageSince) < PATIENCE_MS;
  }
}
