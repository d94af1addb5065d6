import { setTimeout as wait } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';

/** A PUT unless it says otherwise. */
export type Request = Pick<Dispatcher.DispatchOptions, 'path' | 'headers' | 'body'> &
  Partial<Pick<Dispatcher.DispatchOptions, 'method'>>;

/** How many connections every load has. */
export const CONNECTIONS = 64;

/** What became of a load. */
export interface Answers {
  /** How many requests were sent. */
  readonly sent: number;
  /** How many came with each status, or without an answer and with this error's code. */
  readonly statuses: Record<string, number>;
  /** From the sending of each request to the last byte of its answer, in milliseconds, shortest first. */
  readonly latencies: Float64Array;
  readonly seconds: number;
}

/** A figure is worthless beyond this, for whoever fails is fast. */
export const MOST_FAILED = 0.01;

/** @returns how many requests did not get a 200 */
export const failuresOf = ({ sent, statuses }: Answers): number => sent - (statuses['200'] ?? 0);

/** Timers wait for whole milliseconds. */
const TICK_MS = 1;
/** After the last request: what has no answer then has none. */
const LAST_WAIT_MS = 5000;

/** Clients of one server, on connections that are kept open. */
export class Load {
  readonly #origin: string;
  readonly #next: () => Request;
  #pool: Pool;

  /** @param next gives what to send */
  constructor(origin: string, next: () => Request) {
    this.#origin = origin;
    this.#next = next;
    this.#pool = this.#connect();
  }

  /** Sends at a constant rate, whether answers come or not, in an open loop: a queue shows. */
  async arrive(perSecond: number, seconds: number): Promise<Answers> {
    const run = new Run(this.#pool);
    const start = performance.now();
    const total = perSecond * seconds;
    while (run.sent < total) {
      const due = Math.min(total, ((performance.now() - start) / 1000) * perSecond);
      while (run.sent < due) run.send(this.#next());
      await wait(TICK_MS);
    }
    await this.#end(run);
    return run.answers(seconds);
  }

  /** The same, but what finds no free connection waits for one, and is not sent where none comes in time. */
  async flood(perSecond: number, seconds: number): Promise<Answers> {
    const run = new Run(this.#pool);
    const start = performance.now();
    let due = 0;
    const sendDue = () => {
      while (run.sent < due && run.open < CONNECTIONS) run.send(this.#next(), sendDue);
    };
    let passed = 0;
    while (passed < seconds) {
      await wait(TICK_MS);
      passed = Math.min(seconds, (performance.now() - start) / 1000);
      due = passed * perSecond;
      sendDue();
    }
    due = 0;
    await this.#end(run);
    return run.answers(seconds);
  }

  /** Sends the next request of each connection once the last one has been answered, in a closed loop. */
  async saturate(until: { seconds: number } | { requests: number }): Promise<Answers> {
    const run = new Run(this.#pool);
    const start = performance.now();
    const end = 'seconds' in until ? start + until.seconds * 1000 : Number.POSITIVE_INFINITY;
    const most = 'requests' in until ? until.requests : Number.POSITIVE_INFINITY;
    const { promise, resolve } = Promise.withResolvers<void>();
    const sendNext = () => {
      if (run.sent < most && performance.now() < end) run.send(this.#next(), sendNext);
      else if (run.open === 0) resolve();
    };
    for (let begun = 0; begun < CONNECTIONS; begun += 1) sendNext();
    await promise;
    return run.answers((performance.now() - start) / 1000);
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  #connect(): Pool {
    return new Pool(this.#origin, { connections: CONNECTIONS, pipelining: 1 });
  }

  /** Waits for the answers, but not for ever, and leaves nothing to the next load. */
  async #end(run: Run): Promise<void> {
    const giveUp = performance.now() + LAST_WAIT_MS;
    while (run.open > 0 && performance.now() < giveUp) await wait(TICK_MS);
    if (run.open === 0) return;
    run.giveUp();
    await this.close();
    this.#pool = this.#connect();
  }
}

/** The requests of one load, and how they end. */
class Run {
  sent = 0;
  open = 0;
  readonly #pool: Pool;
  readonly #statuses: Record<string, number> = {};
  readonly #latencies: number[] = [];
  #isOver = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  send(request: Request, onEnd = () => {}): void {
    const sentAt = performance.now();
    let status = '';
    const end = (result: string) => {
      if (this.#isOver) return;
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

  /** What has no answer by now is not waited for. */
  giveUp(): void {
    this.#statuses.unanswered = this.open;
    this.#isOver = true;
  }

  answers(seconds: number): Answers {
    return {
      sent: this.sent,
      statuses: this.#statuses,
      latencies: Float64Array.from(this.#latencies).sort(),
      seconds,
    };
  }
}
