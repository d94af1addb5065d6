/** All requests that put the same tags on the same conversation, nearly always one; each gateway may merge its own. */
export interface Write {
  readonly name: string;
  readonly tag: string;
  /** When the first of them was sent. */
  readonly sentAt: number;
  /** When the last of them was answered, or could have been. */
  doneAt: number;
  open: number;
  /** Whether one of them was answered with 200. */
  accepted: boolean;
  applied: boolean;
  /** What happened to it, with times, for whoever looks into a violation. */
  readonly story: string[];
}

/** What must be remembered of a conversation when its old writes are forgotten. */
interface Conversation {
  readonly writes: Map<string, Write>;
  /** Of the writes that were applied: the one that was sent last, and the one that was applied last. */
  newest?: Write;
  last?: Write;
  /** The request that was sent last of those answered with 200. */
  accepted?: { readonly write: Write; readonly sentAt: number };
}

/** How long a write is remembered after its answer, in milliseconds. */
const REMEMBERED_MS = 30_000;
const EXAMPLES = 5;

/**
 * What was asked and answered, and what CometChat applied, in its order; finds what cannot be right. All times are
 * of the clients' clock, in milliseconds.
 */
export class History {
  readonly violations = { order: 0, missing: 0, final: 0 };
  /** The first violations, in full. */
  readonly examples: string[] = [];
  readonly #conversations = new Map<string, Conversation>();

  /** A request was sent that puts this tag, alone, on the conversation of this name. */
  sent(name: string, tag: string, at: number): Write {
    const { writes } = this.#conversation(name);
    const write: Write = writes.get(tag) ?? {
      name,
      tag,
      sentAt: at,
      doneAt: at,
      open: 0,
      accepted: false,
      applied: false,
      story: [],
    };
    writes.set(tag, write);
    write.open += 1;
    tell(write, 'sent', at);
    return write;
  }

  /**
   * A request has come to its end.
   *
   * @param doneAt when it was answered; for one that was not, when it would have been at the latest
   */
  done(write: Write, result: string, sentAt: number, doneAt: number): void {
    write.open -= 1;
    write.doneAt = Math.max(write.doneAt, doneAt);
    tell(write, result, doneAt);
    if (result !== '200') return;
    write.accepted = true;
    const conversation = this.#conversation(write.name);
    if (sentAt > (conversation.accepted?.sentAt ?? 0)) conversation.accepted = { write, sentAt };
  }

  /** CometChat has put these tags on the conversation: called in the order in which that happened. */
  applied(name: string, tags: readonly string[], now: number): void {
    const conversation = this.#conversation(name);
    const write = conversation.writes.get(tags.join());
    if (!write) {
      this.#violation('order', `${name}: ${tags} was applied, long after its answer`);
      return;
    }
    write.applied = true;
    tell(write, 'heard that it was applied', now);
    const { newest } = conversation;
    if (newest && !write.open && write.doneAt < newest.sentAt) {
      this.#violation('order', `${name}: applied after one that was sent when it was done`, write, newest);
    }
    if (!newest || newest.sentAt < write.sentAt) conversation.newest = write;
    conversation.last = write;
  }

  /** Forgets what was done a while ago. */
  prune(now: number): void {
    for (const { writes } of this.#conversations.values()) {
      for (const write of writes.values()) {
        if (write.open || now - write.doneAt < REMEMBERED_MS) continue;
        writes.delete(write.tag);
        this.#lookForMissing(write);
      }
    }
  }

  /** Looks at the tags that every conversation was left with. */
  finish(): void {
    this.prune(Number.POSITIVE_INFINITY);
    for (const [name, { accepted, last }] of this.#conversations) {
      if (accepted && last && last.doneAt < accepted.sentAt) {
        this.#violation('final', `${name}: left with the tags of an older write`, last, accepted.write);
      }
    }
  }

  #lookForMissing(write: Write): void {
    if (write.accepted && !write.applied) {
      this.#violation('missing', `${write.name}: answered with 200, and never applied`, write);
    }
  }

  #conversation(name: string): Conversation {
    const conversation = this.#conversations.get(name) ?? { writes: new Map() };
    this.#conversations.set(name, conversation);
    return conversation;
  }

  #violation(kind: keyof History['violations'], what: string, ...writes: Write[]): void {
    this.violations[kind] += 1;
    if (this.examples.length >= EXAMPLES) return;
    this.examples.push([what, ...writes.map(({ tag, story }) => `  ${tag}: ${story.join(', ')}`)].join('\n'));
  }
}

const tell = ({ story }: Write, what: string, at: number) => void story.push(`${what} ${at.toFixed(1)}`);
