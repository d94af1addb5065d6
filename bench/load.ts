import { setTimeout as wait } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';

export type Request = Pick<Dispatcher.DispatchOptions, 'path' | 'headers' | 'body'>;

/** What became of a load. */
export interface Answers {
  /** How many came with each status, or without an answer and with this error's code. */
  readonly statuses: Record<string, number>;
  /** From the sending of each request to the last byte of its answer, in milliseconds, shortest first. */
  readonly latencies: Float64Array;
  readonly seconds: number;
}

/** Timers wait for whole milliseconds. */
const TICK_MS = 1;
/** After the last request: what has no answer then has none. */
const LAST_WAIT_MS = 5000;

/** Clients of one server, on so many connections that are kept open. */
export class Load {
  readonly #pool: Pool;
  readonly #next: () => Request;

  /** @param next gives what to send */
  constructor(origin: string, next: () => Request, connections = 64) {
    this.#pool = new Pool(origin, { connections, pipelining: 1 });
    this.#next = next;
  }

  /** Sends at a constant rate, whether answers come or not: an open loop, in which a queue shows. */
  async arrive(perSecond: number, seconds: number): Promise<Answers> {
    const run = new Run(this.#pool);
    const start = performance.now();
    const total = perSecond * seconds;
    while (run.sent < total) {
      const due = Math.min(total, ((performance.now() - start) / 1000) * perSecond);
      while (run.sent < due) run.send(this.#next());
      await wait(TICK_MS);
    }
    const giveUp = performance.now() + LAST_WAIT_MS;
    while (run.open > 0 && performance.now() < giveUp) await wait(TICK_MS);
    return run.answers(seconds);
  }

  /** Sends the next request of each connection as soon as the last one has been answered: as many as can be. */
  async saturate(connections: number, until: { seconds: number } | { requests: number }): Promise<Answers> {
    const run = new Run(this.#pool);
    const start = performance.now();
    const end = 'seconds' in until ? start + until.seconds * 1000 : Number.POSITIVE_INFINITY;
    const most = 'requests' in until ? until.requests : Number.POSITIVE_INFINITY;
    const { promise, resolve } = Promise.withResolvers<void>();
    const sendNext = () => {
      if (run.sent < most && performance.now() < end) run.send(this.#next(), sendNext);
      else if (run.open === 0) resolve();
    };
    for (let begun = 0; begun < connections; begun += 1) sendNext();
    await promise;
    return run.answers((performance.now() - start) / 1000);
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

/** The requests of one load, and how they end. */
class Run {
  sent = 0;
  open = 0;
  readonly #pool: Pool;
  readonly #statuses: Record<string, number> = {};
  readonly #latencies: number[] = [];

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  send(request: Request, onEnd = () => {}): void {
    const sentAt = performance.now();
    let status = '';
    const end = (result: string) => {
      this.#statuses[result] = (this.#statuses[result] ?? 0) + 1;
      this.open -= 1;
      onEnd();
    };
    this.sent += 1;
    this.open += 1;
    this.#pool.dispatch(
      { method: 'PUT', ...request },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = String(statusCode);
        },
        onResponseData() {},
        onResponseEnd: () => {
          this.#latencies.push(performance.now() - sentAt);
          end(status);
        },
        onResponseError: (_controller, error) => end((error as NodeJS.ErrnoException).code ?? error.name),
      },
    );
  }

  answers(seconds: number): Answers {
    if (this.open > 0) this.#statuses.unanswered = this.open;
    return { statuses: this.#statuses, latencies: Float64Array.from(this.#latencies).sort(), seconds };
  }
}
