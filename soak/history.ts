import type { Change } from '../src/cometchat/change.ts';
import type { Asked } from './asked.ts';
import { Past } from './past.ts';
import {
  isMissing,
  isTakenThoughRefused,
  leftWithOlder,
  lostTags,
  outOfOrder,
  unknownTags,
} from './promises.ts';

/** A request that asks for a change. */
export interface Request {
  readonly name: string;
  readonly asked: Asked;
  readonly sentAt: number;
}

/** The tags of a conversation as an answer has them. */
interface Read {
  readonly tags: readonly string[];
  readonly sentAt: number;
}

/** How long a change is remembered after its answer, in milliseconds. */
const REMEMBERED_MS = 30_000;
const EXAMPLES = 5;

/**
 * What was asked and answered, and what CometChat took, in its order; finds what cannot be right. All times are of clock.ts. What
 * CometChat took is heard of later than what the clients see, so answers are judged when all is known until then.
 */
export class History {
  readonly violations = { lost: 0, order: 0, missing: 0, final: 0, refused: 0, reads: 0 };
  /** The first violations, in full. */
  readonly examples: string[] = [];
  readonly #pasts = new Map<string, Past>();
  /** Judged when it is known what CometChat had taken until then. */
  #waiting: { readonly at: number; judge(): void }[] = [];

  /** A request was sent that asks for this change of the conversation of this name. */
  sent(name: string, change: Change, sentAt: number): Request {
    const past = this.#past(name);
    const asked = past.ask(change, sentAt);
    asked.begin();
    past.tell(sentAt, `sent: ${told(change)}`);
    return { name, asked, sentAt };
  }

  /** It has come to its end. @param at when it was answered; if it was not, when it would have been at the latest */
  done({ name, asked, sentAt }: Request, result: string, at: number): void {
    const past = this.#past(name);
    asked.end(result, at);
    past.tell(at, `${result}: ${told(asked.change)}`);
    if (result === '200' && sentAt > (past.accepted?.sentAt ?? 0)) past.accepted = { asked, sentAt };
    this.#wait(at, () => {
      if (isMissing(past, asked)) {
        this.#violation('missing', name, at, `got a 200 and was not applied: ${told(asked.change)}`, asked);
      }
      this.#judgeRefusal(name, asked, at);
    });
  }

  /** An answer says that the conversation has these tags. */
  read(name: string, { tags, sentAt }: Read, at: number): void {
    this.#wait(at, () => {
      const past = this.#past(name);
      past.tell(at, `read: ${tags}`);
      if (past.had(tags, sentAt, at)) return;
      this.#violation('reads', name, at, `read since ${sentAt.toFixed(1)}, and it never had them: ${tags}`);
    });
  }

  /** CometChat has put these tags on the conversation: called in the order in which that happened. */
  taken(name: string, tags: readonly string[], at: number): void {
    const past = this.#past(name);
    const since = new Map(past.since);
    const before = past.take({ tags, at });
    past.tell(at, `CometChat takes ${tags}`);
    for (const tag of unknownTags(past, past.last)) {
      this.#violation('order', name, at, `${tag} was applied, which nobody asked for of late`);
    }
    const wrong = outOfOrder(past);
    if (wrong) {
      const text = `${wrong.tag} is there after a change that removes it: ${told(wrong.by.change)}`;
      this.#violation('order', name, at, text, wrong.asked);
    }
    for (const tag of lostTags(past, before, since)) {
      this.#violation('lost', name, at, `${tag} is gone, and no change explains that`);
    }
    for (const tag of tags) {
      const asked = past.byTag.get(tag);
      if (asked) this.#judgeRefusal(name, asked, at);
    }
  }

  /** All is known that CometChat had taken until then. */
  heard(until: number): void {
    const ready = this.#waiting.filter(({ at }) => at <= until);
    this.#waiting = this.#waiting.filter(({ at }) => at > until);
    for (const { judge } of ready) judge();
  }

  /** Forgets what was done a while ago. */
  prune(now: number): void {
    for (const past of this.#pasts.values()) past.forget(now - REMEMBERED_MS);
  }

  /** Judges all that is left, and the tags that every conversation was left with. */
  finish(): void {
    this.heard(Number.POSITIVE_INFINITY);
    for (const [name, past] of this.#pasts) {
      const newest = leftWithOlder(past);
      if (newest) {
        const text = `left with ${past.last.tags}, though this was newer: ${told(newest.change)}`;
        this.#violation('final', name, past.last.at, text);
      }
    }
  }

  #judgeRefusal(name: string, asked: Asked, at: number): void {
    if (!isTakenThoughRefused(asked)) return;
    this.#violation('refused', name, at, `was refused, and applied: ${told(asked.change)}`, asked);
  }

  #wait(at: number, judge: () => void): void {
    this.#waiting.push({ at, judge });
  }

  #past(name: string): Past {
    const past = this.#pasts.get(name) ?? new Past();
    this.#pasts.set(name, past);
    return past;
  }

  /** @param asked counts once for each kind */
  #violation(kind: keyof History['violations'], name: string, at: number, what: string, asked?: Asked): void {
    if (asked?.found.has(kind)) return;
    asked?.found.add(kind);
    this.violations[kind] += 1;
    if (this.examples.length >= EXAMPLES) return;
    this.examples.push(`${kind}: ${name} at ${at.toFixed(1)}: ${what}\n${this.#past(name).story(at)}`);
  }
}

/** A change in a few words. */
function told(change: Change): string {
  if (change.kind === 'replace') return `= ${change.tags}`;
  return change.remove.length > 0 ? `+ ${change.add} - ${change.remove}` : `+ ${change.add}`;
}
