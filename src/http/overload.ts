import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';

const LOOK_EVERY_MS = 100;
/** Requests that have waited for so long had better be told so at once. */
const BLOCKED_MS = 1000;
/** A process that is blocked for so long, in one or in all, between two probes is not well. */
const LONG_MS = 2000;
const REMEMBERED_MS = 10_000;

/** A pause in which the thread had less of a processor than this is none of its own: the machine was suspended, say. */
const WORKING_SHARE = 0.25;

/** What the event loop is watched by, in milliseconds. */
interface Clocks {
  /** Never goes back. */
  readonly now: () => number;
  /** The processor time that this thread has used. */
  readonly worked: () => number;
}

const MACHINE: Clocks = {
  now: () => performance.now(),
  worked: () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  },
};

/**
 * Sees how long the event loop is blocked by work, by how late a timer is: timers go before the requests that wait meanwhile. A
 * timer is also late where the process was frozen, which is no overload.
 */
export class EventLoop {
  readonly #clocks: Clocks;
  #lateMs = 0;
  /** The last times that it was blocked, and for how long. */
  #blocks: { readonly at: number; readonly ms: number }[] = [];

  /** @param clocks the machine's unless given */
  constructor(clocks = MACHINE) {
    this.#clocks = clocks;
  }

  /** Whether it has just been blocked so long that requests have queued up. */
  get isBlocked(): boolean {
    return this.#lateMs >= BLOCKED_MS;
  }

  /** Whether it was blocked for seconds not long ago, be it in pieces. */
  get wasBlockedLong(): boolean {
    return this.#recentBlocks().reduce((sum, { ms }) => sum + ms, 0) >= LONG_MS;
  }

  /** Watches from the end of the app's start, which may block it for long, to the end of the app. */
  watch(app: FastifyInstance): void {
    const { now, worked } = this.#clocks;
    let last = { at: 0, worked: 0 };
    const look = () => {
      const { at, worked: workedBefore } = last;
      last = { at: now(), worked: worked() };
      const lateMs = last.at - at - LOOK_EVERY_MS;
      this.#lateMs = last.worked - workedBefore < WORKING_SHARE * lateMs ? 0 : lateMs;
      if (!this.isBlocked) return;
      this.#blocks = [...this.#recentBlocks(), { at: last.at, ms: lateMs }];
      app.log.warn({ ms: Math.round(this.#lateMs) }, 'event loop blocked');
    };
    let timer: NodeJS.Timeout | undefined;
    app.addHook('onReady', async () => {
      last = { at: now(), worked: worked() };
      timer = setInterval(look, LOOK_EVERY_MS).unref();
    });
    app.addHook('onClose', async () => clearInterval(timer));
  }

  #recentBlocks() {
    return this.#blocks.filter(({ at }) => this.#clocks.now() - at < REMEMBERED_MS);
  }
}

/** Rejects the requests that have queued up while the event loop was blocked, before any work is put into them. */
export function shedLoad(scope: FastifyInstance, eventLoop: EventLoop): void {
  scope.addHook('onRequest', (_request, _reply, done) =>
    done(eventLoop.isBlocked ? new ProblemError('gateway-overloaded') : undefined),
  );
}
