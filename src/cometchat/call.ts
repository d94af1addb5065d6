import type { CometChatId } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import type { CallTrace } from '../base/trace.ts';
import { CLIENT_GONE, DEADLINE_EXCEEDED, type Failure, type Outcome } from './outcome.ts';

/** An attempt that has less time than this is not worth a call. */
export const SHORTEST_ATTEMPT_MS = 50;

/** At its deadline an attempt ends and gives the answer. Where none is under way, a timer does, so much later. */
const GRACE_MS = 20;

/** One of CometChat's API calls as data; operations.ts makes them. */
export interface Operation<T> {
  readonly method: 'GET' | 'PUT';
  /** Behind the base URL. */
  readonly path: string;
  /** The path with the names of its ids, for metrics and traces. */
  readonly pathTemplate: string;
  /** The path of the group or the other user that the call is about; a list of conversations is about nobody alone. */
  readonly partner?: string;
  readonly body?: string;
  /** Of the reply, where it may be longer than most. */
  readonly maxReplyBytes?: number;
  /** Reads the JSON document of a 2xx reply. */
  readonly read: (document: unknown) => Reading<T>;
}

/** What an operation makes of a reply. */
export type Reading<T> =
  /**
   * The value that was read, the parts in an odd form that were left out, each of them once, and how many items of a list were
   * dropped because they had no ids.
   */
  | { readonly value: T; readonly leftOut?: readonly string[]; readonly dropped?: number }
  /** The first place that does not fit: its path and what was expected, never what was found. */
  | { readonly mismatch: string };

/** An operation that is sent once, in the name of one user. */
export interface Call<T> {
  readonly operation: Operation<T>;
  readonly onBehalfOf: CometChatId;
  readonly trace: CallTrace | undefined;
  /** The clients that wait for its outcome. */
  readonly waiters: Waiters;
  /** Of a write: its turn in its lane. */
  readonly turn: Turn | undefined;
  /** Called right before it is sent, with nothing awaited in between. @returns why it must not be sent */
  mayStart(): Failure | undefined;
}

/** The turn of a write: no other write of its lane is sent meanwhile. */
export interface Turn {
  /** Waits for the turn among all replicas, where they share a Redis. Never rejects. @returns why there will be none */
  acquire(): Promise<Failure | undefined> | undefined;
  /** Takes note that an operation is sent now. @returns TURN_LOST where it must not be */
  start(operation: Operation<unknown>): Failure | undefined;
}

/** Who asks for a call. */
export interface Requester {
  readonly onBehalfOf: CometChatId;
  readonly trace?: CallTrace | undefined;
}

export const callOf = <T>(
  operation: Operation<T>,
  { onBehalfOf, trace }: Requester,
  waiters: Waiters,
  turn?: Turn,
): Call<T> => ({
  operation,
  onBehalfOf,
  trace,
  waiters,
  turn,
  mayStart: () => waiters.refusal() ?? turn?.start(operation),
});

/** One step on the way to CometChat. `Extra` is what a step needs beside the call: the step before it adds that. */
export type Send<Extra = unknown> = <T>(call: Call<T> & Extra) => Promise<Outcome<T>>;

/** What is done for clients that wait, in several attempts if need be. */
export interface Job<T> {
  readonly waiters: Waiters;
  attempt(): Promise<Outcome<T>>;
}

/** Does a job. @returns the outcome of its last attempt */
export type Run = <T>(job: Job<T>) => Promise<Outcome<T>>;

/** What a client gets to know of its job. */
export interface Result<T> {
  readonly outcome: Outcome<T>;
  readonly retried: readonly string[];
  /** An equal change was under way already, and both were sent as one. */
  readonly isJoined: boolean;
}

/** A client that waits for an outcome. */
export interface Client {
  /** Aborted when it has left. */
  readonly gone: AbortSignal;
  /** By the clock of the services. */
  readonly deadline: number;
}

/** The clients that wait for the outcome of one job; each keeps its own deadline. */
export class Waiters {
  /** Error types of the failed attempts that were retried. */
  readonly retried: string[] = [];
  readonly #abandoned = new AbortController();
  readonly #ended = new AbortController();
  readonly #clock: Clock;
  #deadline = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of the client that waits longest, by the clock. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Aborted when the last client has left. An exchange under way is cut off soon after. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  /** Aborted, with the Failure to answer as its reason, when no further attempt shall be made. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** @returns why no attempt may start now */
  refusal(): Failure | undefined {
    if (this.ended.aborted) return this.ended.reason as Failure;
    return this.#deadline - this.#clock.now() < SHORTEST_ATTEMPT_MS ? DEADLINE_EXCEEDED : undefined;
  }

  /** Ends all further attempts. One that is under way goes on. */
  end(failure: Failure): void {
    this.#ended.abort(failure);
  }

  /**
   * Waits for the outcome for one client. Ends early where it leaves, or its deadline is over.
   *
   * @param outcome called when the client and its deadline are known
   */
  async join<T>(outcome: () => Promise<Outcome<T>>, { gone, deadline }: Client): Promise<Outcome<T>> {
    const early = Promise.withResolvers<Outcome<T>>();
    const leave = (failure: Failure) => {
      early.resolve(failure);
      this.#count -= 1;
      if (this.#count > 0) return;
      this.end(CLIENT_GONE);
      this.#abandoned.abort(failure);
    };
    const onGone = () => leave(CLIENT_GONE);
    const left = Math.max(0, deadline + GRACE_MS - this.#clock.now());
    const cancel = this.#clock.after(left, () => leave(DEADLINE_EXCEEDED));
    gone.addEventListener('abort', onGone);
    this.#count += 1;
    this.#deadline = Math.max(this.#deadline, deadline);
    if (gone.aborted) onGone();
    try {
      return await Promise.race([early.promise, outcome()]);
    } finally {
      cancel();
      gone.removeEventListener('abort', onGone);
    }
  }
}
