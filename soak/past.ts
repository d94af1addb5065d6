import type { Change } from '../src/cometchat/change.ts';
import { Asked } from './asked.ts';

/** A set of tags as CometChat has taken it. */
export interface Taken {
  readonly tags: readonly string[];
  readonly at: number;
}

/** How long a story is that is told of a violation, in milliseconds and in lines. */
const STORY_MS = 10_000;
const STORY_LINES = 30;

/** What is remembered of one conversation: what was asked, what CometChat took, and what is to be judged as soon as it can be. */
export class Past {
  /** By each of their tags. */
  readonly byTag = new Map<string, Asked>();
  readonly asked = new Set<Asked>();
  /** The oldest first. The set before all was empty. */
  taken: Taken[] = [{ tags: [], at: Number.NEGATIVE_INFINITY }];
  /** The tags that are there now, and since when. */
  readonly since = new Map<string, number>();
  /** Of the requests that got a 200, the one that was sent last. */
  accepted: { readonly asked: Asked; readonly sentAt: number } | undefined;
  #story: { readonly at: number; readonly text: string }[] = [];

  /** All requests for the same change are one. */
  ask(change: Change, at: number): Asked {
    const found = new Asked(change, at);
    const asked = this.byTag.get(found.tags[0] as string) ?? found;
    this.asked.add(asked);
    for (const tag of asked.tags) this.byTag.set(tag, asked);
    return asked;
  }

  /** @returns the set before it */
  take(set: Taken): Taken {
    const before = this.last;
    for (const tag of before.tags) if (!set.tags.includes(tag)) this.since.delete(tag);
    for (const tag of set.tags) {
      if (!this.since.has(tag)) this.since.set(tag, set.at);
      const asked = this.byTag.get(tag);
      if (asked) asked.seenAt ??= set.at;
    }
    this.taken.push(set);
    return before;
  }

  get last(): Taken {
    return this.taken.at(-1) as Taken;
  }

  /** Whether CometChat had these tags at some time between two. */
  had(tags: readonly string[], from: number, to: number): boolean {
    return this.taken.some((set, index) => {
      const next = this.taken[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      return set.at <= to && next >= from && `${set.tags}` === `${tags}`;
    });
  }

  tell(at: number, text: string): void {
    this.#story.push({ at, text });
  }

  /** What happened in the seconds before, in lines. */
  story(until: number): string {
    return this.#story
      .filter(({ at }) => at > until - STORY_MS && at <= until)
      .toSorted((one, other) => one.at - other.at)
      .slice(-STORY_LINES)
      .map(({ at, text }) => `  ${at.toFixed(1)} ${text}`)
      .join('\n');
  }

  /** Forgets what was over before then, but for what CometChat still has. */
  forget(before: number): void {
    for (const asked of this.asked) {
      if (asked.doneAt >= before || asked.tags.some((tag) => this.since.has(tag))) continue;
      this.asked.delete(asked);
      for (const tag of asked.tags) this.byTag.delete(tag);
    }
    const firstKept = this.taken.findLastIndex(({ at }) => at < before);
    this.taken = this.taken.slice(Math.max(0, firstKept));
    this.#story = this.#story.filter(({ at }) => at >= before);
  }
}
