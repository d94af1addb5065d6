import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import { ended, type Failure, type Outcome } from './call.ts';
import type { CometChatId } from './conversation.ts';
import type { Edges } from './edges.ts';
import type { Call, Peer } from './exchange.ts';
import { Writes } from './lanes.ts';
import { SharedOrder } from './lease.ts';
import type { CallTrace } from './observed.ts';
import { Tries, type TriesConfig } from './retries.ts';
import type { Write } from './write.ts';

export interface CometChatConfig extends TriesConfig {
  /** Writes in hand at once. */
  readonly maxConcurrency: number;
}

/** What became of a client's write, and how it came to that. */
export interface Result {
  readonly outcome: Outcome;
  /** Error types of the tries after which another one was made. */
  readonly retried: readonly string[];
  /** It was the same as another one under way, and both were one. */
  readonly merged: boolean;
}

/** Who asks for a write. */
interface Requester {
  readonly gone?: AbortSignal | undefined;
  readonly waitedMs?: number;
  readonly trace?: CallTrace | undefined;
}

const NEVER = new AbortController().signal;

/** Carries writes to CometChat: those to one conversation in order, and as one where they are the same. */
export class CometChatClient {
  readonly #deadlineMs: number;
  readonly #metrics: Edges['metrics'];
  readonly #writes = new Writes();
  readonly #order: SharedOrder | undefined;
  readonly #tries: Tries;
  readonly #room: BulkheadPolicy;

  constructor(config: CometChatConfig, edges: Edges) {
    this.#deadlineMs = config.deadlineMs;
    this.#metrics = edges.metrics;
    this.#order = edges.redis && new SharedOrder(edges.redis, edges);
    this.#tries = new Tries(config, edges);
    this.#room = bulkhead(config.maxConcurrency);
  }

  /**
   * Replaces the tags that one user has put on one conversation ("Update User Conversation").
   *
   * @param onBehalfOf the user who acts
   * @param peer whose conversation with that user is meant
   * @param tags the whole new set
   * @param client aborts `gone` when it has left; `waitedMs` of its deadline are over; `trace` follows the calls that
   *   are made for it
   * @returns what became of it; never throws for anything that CometChat, the network or Redis does
   */
  async updateTags(
    onBehalfOf: CometChatId,
    peer: Peer,
    tags: readonly string[],
    { gone = NEVER, waitedMs = 0, trace }: Requester = {},
  ): Promise<Result> {
    const call = { onBehalfOf, peer, body: JSON.stringify({ tags }), trace };
    const lane = `${onBehalfOf}:${peer.type}:${peer.id}`;
    const client = { gone, deadline: performance.now() + this.#deadlineMs - waitedMs };
    const place = this.#order?.place(lane, call.body);
    const before = this.#writes.newest(lane);
    // Another replica may have had a newer one in between. What is decided after this is not waited for any more.
    if (place && this.#writes.find(lane, call.body)) await place.take();
    const same = this.#writes.find(lane, call.body);
    if (same && (!place || !same.place || place.isWith(same.place))) {
      this.#metrics.mergedWrites.inc();
      return { outcome: await same.join(client), retried: same.retried, merged: true };
    }
    const newest = this.#writes.newest(lane);
    const isOvertaken = newest && newest !== before && newest.body !== call.body;
    const refusal = isOvertaken ? ended('superseded') : this.#refusal();
    if (refusal) return { outcome: refusal, retried: [], merged: false };
    const write = this.#writes.begin(lane, call.body, place, (self, isFirst) =>
      this.#room.execute(() => this.#perform(self, call, isFirst)),
    );
    return { outcome: await write.join(client), retried: write.retried, merged: write.isMerged };
  }

  /** Whether it is asked right now, and if not, why. */
  get state(): Tries['state'] {
    return this.#tries.state;
  }

  /** Closes the connections. */
  close(): void {
    this.#tries.close();
  }

  /** @returns why no new write is begun at all */
  #refusal(): Failure | undefined {
    return this.#room.executionSlots === 0 ? ended('gateway-overloaded') : this.#tries.refusal();
  }

  async #perform(write: Write, call: Call, isFirst: boolean): Promise<Outcome> {
    // Its place is that of its arrival, however long it has to wait.
    if (!isFirst) await Promise.all([write.place?.take(), write.turn]);
    return this.#tries.make(write, call);
  }
}
