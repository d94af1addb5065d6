import { applyAll } from '../../../src/cometchat/change.ts';
import type { UpstreamConversation } from '../../../src/cometchat/conversation.ts';
import { type History, NEVER, type Write } from './history.ts';

/** Tags that were removed and added again go to the end, and so they do once more if both changes are sent again. */
const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((tag) => others.includes(tag));

/** What a write did, as its client knows: it took effect, it did not, or nobody knows. */
type Effect = 'yes' | 'no' | 'unknown';

/**
 * Looks for an order in which all that the clients were told is true, and CometChat is left with the tags that it has. In that
 * order a change comes after all that precede it.
 *
 * @param before the tags that CometChat had at first
 * @returns what is wrong; undefined where there is such an order
 */
export function contradiction(history: History, before: readonly string[]): string | undefined {
  const { writes, tags = [] } = history;
  const seen = new Set<string>();
  /** @param left the writes that have no place yet */
  const canGoOn = (left: readonly Write[], current: readonly string[]): boolean => {
    if (left.every((write) => effectOf(write) !== 'yes') && isSame(current, tags)) return true;
    const key = `${left.map((write) => writes.indexOf(write))} ${current.toSorted()}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return left.some((write) => {
      if (left.some((other) => other !== write && mustPrecede(history, other, write))) return false;
      const others = left.filter((other) => other !== write);
      return after(write, current).some((next) => canGoOn(others, next));
    });
  };
  return (
    endless(history) ??
    falselySuperseded(history) ??
    (canGoOn(writes, before) ? undefined : `no order of the changes explains the tags ${tags}`)
  );
}

/** Of a gateway that was killed nobody hears any more. */
function endless({ writes, killed }: History): string | undefined {
  const at = writes.findIndex(({ result, replica }) => !result && replica !== killed);
  return at < 0 ? undefined : `write ${at} has no end`;
}

/**
 * Nothing but a replace that may have come later supersedes a write. In a failover a change may join, or be composed with, a write
 * that a replace of another replica has superseded by then.
 */
function falselySuperseded(history: History): string | undefined {
  const { writes, hasFailover } = history;
  const at = writes.findIndex((write) => {
    const { result } = write;
    if (!result || result.outcome.ok || result.outcome.problem !== 'superseded') return false;
    return !writes.some((other) => {
      const isUnknown = hasFailover && other.replica !== write.replica;
      return other !== write && isReplace(other) && (isUnknown || !mustPrecede(history, other, write));
    });
  });
  return at < 0 ? undefined : `no replace has superseded write ${at}`;
}

const isReplace = ({ change }: Write): boolean => change !== 'read' && change.kind === 'replace';

/** @returns the sets of tags that there may be after a write: none where what its client was told cannot be */
function after(write: Write, current: readonly string[]): (readonly string[])[] {
  const { change, result } = write;
  if (change === 'read') {
    if (!result?.outcome.ok) return [current];
    const [conversation] = result.outcome.value as UpstreamConversation[];
    return isSame(conversation?.tags ?? [], current) ? [current] : [];
  }
  const { tags, refused } = applyAll([change], current);
  if (isRefused(write)) return refused.size > 0 ? [current] : [];
  switch (effectOf(write)) {
    case 'yes':
      return refused.size > 0 ? [] : [tags];
    case 'no':
      return [current];
    case 'unknown':
      return [tags, current];
  }
}

const isRefused = ({ result }: Write): boolean =>
  result !== undefined && !result.outcome.ok && result.outcome.problem === 'too-many-tags';

/** A read and a refusal have no effect, but must have their place all the same. */
function effectOf(write: Write): Effect {
  const { result, answered, change } = write;
  if (answered === NEVER || !result) return 'unknown';
  if (result.outcome.ok || isRefused(write)) return 'yes';
  if (change === 'read') return 'no';
  // Of a write that was superseded an attempt may have landed before.
  return 'unknown';
}

/**
 * Whether a write has its effect before another: it was answered before that was sent; or it came earlier, where all see one order.
 * Of what is under way at the same time these have no order: reads, and merges at different gateways, also beside a replace
 * that has joined an equal one.
 */
function mustPrecede({ precedes, isOnePlace }: History, write: Write, other: Write): boolean {
  // What failed may still land later. A change waits until it can no longer do so, and a read does not.
  const isSettled = other.change !== 'read' || effectOf(write) !== 'unknown';
  if (write.answered < other.sent && isSettled) return true;
  if (write.change === 'read' || other.change === 'read') return false;
  const isOrdered =
    isOnePlace ||
    write.replica === other.replica ||
    write.change.kind === 'replace' ||
    (other.change.kind === 'replace' && !other.result?.isJoined);
  return isOrdered && precedes(write, other);
}
