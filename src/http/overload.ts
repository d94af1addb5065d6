import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';

const LOOK_EVERY_MS = 100;
/** Requests that have waited for so long had better be told so at once. */
const BLOCKED_MS = 1000;
/** A process that is blocked for so long, in one or in all, between two probes is not well. */
const LONG_MS = 2000;
const REMEMBERED_MS = 10_000;

/** Sees how long the event loop is blocked, by how late a timer is: timers go before the requests that wait meanwhile. */
export class EventLoop {
  readonly #now: () => number;
  #lateMs = 0;
  /** The last times that it was blocked, and for how long. */
  #blocks: { readonly at: number; readonly ms: number }[] = [];

  /** @param now the clock, in milliseconds, which does not go back; the machine's unless given */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Whether it has just been blocked so long that requests have queued up. */
  get isBlocked(): boolean {
    return this.#lateMs >= BLOCKED_MS;
  }

  /** Whether it was blocked for seconds not long ago, be it in pieces. */
  get wasBlockedLong(): boolean {
    return this.#recentBlocks().reduce((sum, { ms }) => sum + ms, 0) >= LONG_MS;
  }

  /** Watches for as long as the app lives. */
  watch(app: FastifyInstance): void {
    const now = this.#now;
    let expected = now() + LOOK_EVERY_MS;
    const timer = setInterval(() => {
      this.#lateMs = now() - expected;
      expected = now() + LOOK_EVERY_MS;
      if (!this.isBlocked) return;
      this.#blocks = [...this.#recentBlocks(), { at: now(), ms: this.#lateMs }];
      app.log.warn({ ms: Math.round(this.#lateMs) }, 'event loop blocked');
    }, LOOK_EVERY_MS).unref();
    app.addHook('onClose', async () => clearInterval(timer));
  }

  #recentBlocks() {
    return this.#blocks.filter(({ at }) => this.#now() - at < REMEMBERED_MS);
  }
}

/** Rejects the requests that have queued up while the event loop was blocked, before any work is put into them. */
export function shedLoad(scope: FastifyInstance, eventLoop: EventLoop): void {
  scope.addHook('onRequest', (_request, _reply, done) =>
    done(eventLoop.isBlocked ? new ProblemError('gateway-overloaded') : undefined),
  );
}
