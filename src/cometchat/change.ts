import { MAX_TAGS } from './conversation.ts';

/** Puts a whole new set in the place of the tags that one user has on one conversation. */
export interface Replace {
  readonly kind: 'replace';
  readonly tags: readonly string[];
}

/** Adds tags to that set and removes some from it; it leaves all others alone. No tag is in both. */
export interface Merge {
  readonly kind: 'merge';
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export type Change = Replace | Merge;

export interface Applied {
  /** The set after those that were not refused. */
  readonly tags: readonly string[];
  /** Each would have made the set larger, and larger than CometChat takes. */
  readonly refused: ReadonlySet<Change>;
  /** What the merges that were not refused come to: they can be applied once more by it. */
  readonly merge: Merge;
}

/** Applies changes one after the other. @param before the set before them */
export function applyAll(changes: readonly Change[], before: readonly string[]): Applied {
  const refused = new Set<Change>();
  let base = before;
  let tags = before;
  let merge: Merge = NOTHING;
  for (const change of changes) {
    const after = change.kind === 'replace' ? change.tags : mergeInto(tags, change);
    if (isTooLarge(after, tags)) refused.add(change);
    else {
      if (change.kind === 'replace') base = change.tags;
      merge = change.kind === 'replace' ? NOTHING : compose(merge, change);
      tags = after;
    }
  }
  return { tags: mergeInto(base, merge), refused, merge };
}

/** CometChat may have more tags than it takes: the set may shrink then, but not grow. */
export const isTooLarge = (after: readonly string[], before: readonly string[]): boolean =>
  after.length > MAX_TAGS && after.length > before.length;

const NOTHING: Merge = { kind: 'merge', add: [], remove: [] };

/** @returns the merge that leaves every set with the tags that both leave it with, one after the other */
const compose = (first: Merge, second: Merge): Merge => ({
  kind: 'merge',
  add: [
    ...first.add.filter((tag) => !second.remove.includes(tag) && !second.add.includes(tag)),
    ...second.add,
  ],
  remove: [...new Set([...first.remove, ...second.remove])],
});

/** Tags that are there stay where they are, and new ones go to the end. */
export function mergeInto(tags: readonly string[], { add, remove }: Merge): readonly string[] {
  // CometChat keeps what others have put there as it came. `remove` is in NFC already.
  const left = tags.filter((tag) => add.includes(tag) || !remove.includes(tag.normalize('NFC')));
  return [...left, ...add.filter((tag) => !left.includes(tag))];
}

/** Whether two sets are the same, order included. */
export const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((tag, index) => tag === others[index]);
