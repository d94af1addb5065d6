import { ABANDONED, ended, type Failure, type Outcome } from './outcome.ts';

/** A client whose time is over hears of it from the try that ends then; or so much later, where none is made. */
const GRACE_MS = 20;
const LATE: Failure = { ok: false, problem: 'cometchat-timeout', errorType: 'deadline' };

/** Whoever waits for the outcome of a write. */
export interface Client {
  /** Aborted when it has left. */
  readonly gone: AbortSignal;
  /** By performance.now(). */
  readonly deadline: number;
}

/** One set of tags on its way to one conversation. */
export class Write {
  readonly body: string;
  /** Of the client that waits longest, by performance.now(). */
  deadline = 0;
  /** Why it shall not be sent, or not again. */
  ended: Failure | undefined;
  /** Error types of the tries after which another one was made. */
  readonly retried: string[] = [];
  readonly #turn = Promise.withResolvers<void>();
  readonly #idle = new AbortController();
  readonly #abandoned = new AbortController();
  readonly #outcome: Promise<Outcome>;
  #clients = 0;

  constructor(body: string, perform: (write: Write) => Promise<Outcome>) {
    this.body = body;
    this.#outcome = perform(this);
  }

  /** Resolves when those before it have come to their end, or it has itself. */
  get turn(): Promise<void> {
    return this.#turn.promise;
  }

  /** Aborted when it has `ended`: there is nothing more to wait for. */
  get idle(): AbortSignal {
    return this.#idle.signal;
  }

  /** Aborted when every client has left: what is on the wire is of no use to anybody. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  /** Lets it go, and waits for its end, whatever that is. */
  async proceed(): Promise<void> {
    this.#turn.resolve();
    await this.#outcome.catch(() => {});
  }

  /** A newer write has come; a try that is on the wire may still end as it likes. */
  overtake(): void {
    this.#end(ended('superseded'));
  }

  /** Waits for the outcome in the name of a client: until that has left, or its time is over, at most. */
  async join({ gone, deadline }: Client): Promise<Outcome> {
    const early = Promise.withResolvers<Outcome>();
    const leave = (outcome: Failure) => {
      early.resolve(outcome);
      this.#clients -= 1;
      if (this.#clients > 0) return;
      this.#end(ABANDONED);
      this.#abandoned.abort();
    };
    const onGone = () => leave(ABANDONED);
    const timer = setTimeout(leave, deadline + GRACE_MS - performance.now(), LATE);
    gone.addEventListener('abort', onGone);
    this.#clients += 1;
    this.deadline = Math.max(this.deadline, deadline);
    try {
      return await Promise.race([early.promise, this.#outcome]);
    } finally {
      clearTimeout(timer);
      gone.removeEventListener('abort', onGone);
    }
  }

  #end(failure: Failure): void {
    this.ended ??= failure;
    this.#turn.resolve();
    this.#idle.abort();
  }
}

/** The writes of one user to one conversation. */
interface Lane {
  current: Write;
  /** The newest of those that came meanwhile; the others have been overtaken. */
  next: Write | undefined;
}

/** The order of writes in this process: one at a time for each lane, the newest next. */
export class Writes {
  readonly #lanes = new Map<string, Lane>();

  /** @returns the write that the same body would repeat: under way or next, and not overtaken */
  find(lane: string, body: string): Write | undefined {
    const { current, next } = this.#lanes.get(lane) ?? {};
    const newest = next ?? current;
    return newest?.body === body && !newest.ended ? newest : undefined;
  }

  /**
   * Begins a write, which overtakes all others of its lane.
   *
   * @param perform called at once; unless the write `isFirst`, it waits for its turn before it sends anything
   */
  begin(name: string, body: string, perform: (write: Write, isFirst: boolean) => Promise<Outcome>): Write {
    const lane = this.#lanes.get(name);
    lane?.current.overtake();
    lane?.next?.overtake();
    const write = new Write(body, (self) => perform(self, !lane));
    if (lane) lane.next = write;
    else void this.#run(name, write);
    return write;
  }

  async #run(name: string, first: Write): Promise<void> {
    const lane: Lane = { current: first, next: undefined };
    this.#lanes.set(name, lane);
    await first.proceed();
    while (lane.next) {
      lane.current = lane.next;
      lane.next = undefined;
      await lane.current.proceed();
    }
    this.#lanes.delete(name);
  }
}
