import type { FastifyInstance } from 'fastify';
import type { Services } from '../base/services.ts';

declare module 'fastify' {
  interface FastifyInstance {
    refusals: RefusalLog;
  }
}

/** Lines at level info of one address and problem, within one window. */
const MAX_LINES = 5;
const WINDOW_MS = 60_000;
/** A bound on memory. Addresses that come after so many pairs share one. */
const MAX_REMEMBERED = 10_000;
const OTHERS = 'others';

interface Refused {
  readonly address: string;
  readonly problem: string;
  count: number;
}

/** Keeps floods out of the log: of what strangers may send, the first of a minute are written, and then how many there were. */
class RefusalLog {
  readonly #services: Pick<Services, 'log' | 'seams'>;
  readonly #refused = new Map<string, Refused>();
  #stop = () => {};

  constructor(services: Pick<Services, 'log' | 'seams'>) {
    this.#services = services;
  }

  /**
   * Counts a refusal.
   *
   * @param address as addressOf() gives it
   * @param problem its code, what else it was refused for, or what else a stranger has sent
   * @returns the level of its line
   */
  levelOf(address: string, problem: string): 'info' | 'debug' {
    if (this.#refused.size === 0) this.#begin();
    const refused = this.#of(address, problem);
    refused.count += 1;
    return refused.count > MAX_LINES ? 'debug' : 'info';
  }

  /** Ends the window, with a line for each address and problem that had more refusals than were written. */
  end(): void {
    this.#stop();
    for (const { address, problem, count } of this.#refused.values()) {
      const more = count - MAX_LINES;
      if (more > 0)
        this.#services.log.info({ address, problem, count: more }, 'more requests were not logged');
    }
    this.#refused.clear();
  }

  #begin(): void {
    const stop = new AbortController();
    const { signal } = stop;
    this.#stop = () => stop.abort();
    // Unlike a timer of the clock's, this wait does not keep the process running.
    void this.#services.seams.clock.wait(WINDOW_MS, signal).then(() => signal.aborted || this.end());
  }

  #of(address: string, problem: string): Refused {
    const key = `${address} ${problem}`;
    const known = this.#refused.get(key);
    if (known) return known;
    const isFull = this.#refused.size >= MAX_REMEMBERED;
    if (isFull && address !== OTHERS) return this.#of(OTHERS, problem);
    const refused = { address, problem, count: 0 };
    this.#refused.set(key, refused);
    return refused;
  }
}

/** Gives the app `refusals`, for as long as it lives. */
export function logRefusals(app: FastifyInstance, services: Pick<Services, 'log' | 'seams'>): void {
  const refusals = new RefusalLog(services);
  app.decorate('refusals', refusals);
  app.addHook('onClose', async () => refusals.end());
}
