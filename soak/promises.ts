import type { Asked } from './asked.ts';
import type { Past, Taken } from './past.ts';

// What must hold of the sets that CometChat takes, one after the other. Each change adds tags of its own, so a set shows by itself
// which changes it is made of. Only what is certain is judged: a change that failed, or whose client has left, may have been made.

/** A request that failed, or whose client has left, may be part of a write that goes on for others: longer than two deadlines. */
const LATE_MS = 8000;
/** An attempt may land after the gateway has seen it end: as late as it delays others. */
const IN_DOUBT_MS = 1500;

/** @returns the tags of a set that nobody asked for, as far as is remembered */
export const unknownTags = ({ byTag }: Past, { tags }: Taken): string[] =>
  tags.filter((tag) => !byTag.has(tag));

/**
 * A change that CometChat has taken counts after all that were done when it was sent.
 *
 * @returns a tag of the last set that must have gone, with the later change that removes it
 */
export function outOfOrder(past: Past): { tag: string; asked: Asked; by: Asked } | undefined {
  for (const tag of past.last.tags) {
    const asked = past.byTag.get(tag);
    const by = asked && [...past.asked].find((other) => isAfter(other, asked) && other.removes(tag));
    if (by && !asked.found.has('order')) return { tag, asked, by };
  }
  return undefined;
}

/** Whether one was taken, and sent when the other was done. A merge of another gateway waits for no merge that has failed. */
const isAfter = (one: Asked, other: Asked): boolean =>
  one.seenAt !== undefined &&
  one.sentAt > other.doneAt &&
  (one.change.kind === 'replace' || other.isAccepted);

/**
 * What is in a set stays until a change removes it. That change shows in the set that lacks the tag: by its own tags, or by those
 * of one that has removed these.
 *
 * @param before the set before the last one
 * @param since when each of its tags came
 * @returns the tags that were lost
 */
export function lostTags(past: Past, before: Taken, since: ReadonlyMap<string, number>): string[] {
  const { last } = past;
  return before.tags.filter((tag) => {
    const asked = past.byTag.get(tag);
    if (!asked || last.tags.includes(tag)) return false;
    return ![...past.asked].some(
      (other) =>
        other.removes(tag) &&
        other.doneAt >= asked.sentAt &&
        latestEffect(other) >= (since.get(tag) as number) &&
        shows(past, other, last),
    );
  });
}

const latestEffect = (asked: Asked): number => (asked.isAccepted ? asked.doneAt : asked.doneAt + LATE_MS);

function shows(past: Past, asked: Asked, set: Taken): boolean {
  if (asked.sentAt > set.at) return false;
  if (asked.tags.some((tag) => set.tags.includes(tag))) return true;
  // Who removes its tags knows of them, and so came later: this comes to an end.
  return asked.tags.every((tag) => mergesWithout(past, tag).some((other) => shows(past, other, set)));
}

const mergesWithout = (past: Past, tag: string): Asked[] =>
  [...past.asked].filter(({ change }) => change.kind === 'merge' && change.remove.includes(tag));

/** Whether a change was taken that was refused: in words that promise that nothing was changed, or long before. */
export const isTakenThoughRefused = (asked: Asked): boolean =>
  asked.seenAt !== undefined &&
  (asked.isRefused || (asked.hasFailed && asked.seenAt > asked.doneAt + IN_DOUBT_MS));

/** Whether a change got a 200 and was not taken before, nor were its tags removed meanwhile. */
export function isMissing(past: Past, asked: Asked): boolean {
  const { acceptedAt, seenAt = Number.POSITIVE_INFINITY } = asked;
  if (acceptedAt === undefined || seenAt <= acceptedAt) return false;
  return !asked.tags.every((tag) => mergesWithout(past, tag).some(({ sentAt }) => sentAt <= acceptedAt));
}

/** @returns the change that was accepted last, where CometChat was left with nothing but older ones */
export function leftWithOlder({ accepted, last, byTag }: Past): Asked | undefined {
  if (!accepted || accepted.asked.tags.some((tag) => last.tags.includes(tag))) return undefined;
  const isOlder = (tag: string) => (byTag.get(tag)?.doneAt ?? 0) < accepted.sentAt;
  return last.tags.every(isOlder) ? accepted.asked : undefined;
}
