import { setTimeout as wait } from 'node:timers/promises';
import { ABANDONED, ended, type Failure, isForAll, LATE, type Outcome } from './call.ts';
import type { Place } from './lease.ts';

/** A client whose time is over hears of it from the try that ends then; or so much later, where none is made. */
const GRACE_MS = 20;

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
  /** In the order of all replicas, where there are several. */
  readonly place: Place | undefined;
  /** Of the client that waits longest, by performance.now(). */
  deadline = 0;
  /** Until when CometChat may be at a try of which nobody knows how it ended, by performance.now(). */
  settlesAt = 0;
  /** Why it shall not be sent, or not again. */
  ended: Failure | undefined;
  /** Error types of the tries after which another one was made. */
  readonly retried: string[] = [];
  /** Another replica has sent the same one, and this is its outcome. */
  isMerged = false;
  /** Its outcome is there; a newer write may still have to wait. */
  isOver = false;
  readonly #turn = Promise.withResolvers<void>();
  readonly #idle = new AbortController();
  readonly #abandoned = new AbortController();
  #settling = new AbortController();
  readonly #outcome: Promise<Outcome>;
  #clients = 0;

  constructor(body: string, place: Place | undefined, perform: (write: Write) => Promise<Outcome>) {
    this.body = body;
    this.place = place;
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

  /** Lets it go, and waits for its end. */
  async proceed(): Promise<void> {
    this.#turn.resolve();
    const outcome = await this.#outcome.catch(() => undefined);
    this.isOver = true;
    this.place?.leave(outcome && isForAll(outcome) ? outcome : undefined, this.isUnsettled);
  }

  /** Whether a newer write with other tags could still be overtaken by a try of this one. */
  get isUnsettled(): boolean {
    return this.settlesAt > performance.now();
  }

  /** Waits until it cannot, or until another write has come. */
  async settle(): Promise<void> {
    this.#settling = new AbortController();
    const left = Math.max(0, this.settlesAt - performance.now());
    await wait(left, undefined, { ref: false, signal: this.#settling.signal }).catch(() => {});
  }

  /** Hands its turn on to the write after it, or back. */
  handOn(next: Write | undefined): void {
    if (next && this.isUnsettled) {
      next.settlesAt = this.settlesAt;
      if (this.place) next.place?.takeOver(this.place);
    } else {
      this.place?.leave();
    }
  }

  /** Another write has come: it need not wait if it is the same. */
  look(): void {
    this.#settling.abort();
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
    const timer = setTimeout(leave, Math.max(0, deadline + GRACE_MS - performance.now()), LATE);
    gone.addEventListener('abort', onGone);
    this.#clients += 1;
    this.deadline = Math.max(this.deadline, deadline);
    if (gone.aborted) onGone();
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
