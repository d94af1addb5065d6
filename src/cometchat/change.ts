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
  readonly tags: readonly string[];
  /** The changes that were left out: each would have made the set larger, and larger than CometChat takes. */
  readonly refused: ReadonlySet<Change>;
}

/** Applies changes one after the other. @param tags the set before them */
export function applyAll(changes: readonly Change[], tags: readonly string[]): Applied {
  const refused = new Set<Change>();
  let current = tags;
  for (const change of changes) {
    const next = apply(change, current);
    if (next.length > MAX_TAGS && next.length > current.length) refused.add(change);
    else current = next;
  }
  return { tags: current, refused };
}

/** Tags that are there stay where they are, and new ones go to the end. */
function apply(change: Change, tags: readonly string[]): readonly string[] {
  if (change.kind === 'replace') return change.tags;
  // CometChat keeps what others have put there as it came. `remove` is in NFC already.
  const left = tags.filter((tag) => !change.remove.includes(tag.normalize('NFC')));
  return [...left, ...change.add.filter((tag) => !left.includes(tag))];
}

/** Whether two sets are the same, order included. */
export const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((tag, index) => tag === others[index]);
