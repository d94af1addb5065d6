import { type Attempt, type History, NEVER, type Write } from './history.ts';

/** What clients and CometChat's data show: true by whatever clock. */
export const EFFECTS = [endless, olderOnNewer, forgotten, falselySuperseded];
/** What shows on the wire, by a clock that is exact. */
const EXACT = [stale, overlapping, overtaken, delayed, heardLate, miscounted];

/** @returns which promise is broken, and how; undefined where none is */
export function brokenPromise(history: History, promises = [...EFFECTS, ...EXACT]): string | undefined {
  for (const promise of promises) {
    const broken = promise(history);
    if (broken) return broken;
  }
  return undefined;
}

/** Whether these tags were sent for the last time before this write, for all to see. */
const isOlder = ({ writes, precedes }: History, tag: number, than: Write): boolean =>
  writes.every((write) => write.tag !== tag || precedes(write, than));

function endless({ writes }: History): string | undefined {
  const at = writes.findIndex(({ result }) => !result);
  return at < 0 ? undefined : `write ${at} has no end`;
}

function olderOnNewer(history: History): string | undefined {
  const { taken, writes } = history;
  for (const [at, tag] of taken.entries()) {
    const first = writes.find((write) => write.tag === tag) as Write;
    const older = taken.slice(at + 1).find((next) => isOlder(history, next, first));
    if (older !== undefined) return `${older} landed on the newer ${tag}`;
  }
  return undefined;
}

function forgotten(history: History): string | undefined {
  const { taken, writes } = history;
  const last = taken.at(-1);
  for (const [at, write] of writes.entries()) {
    if (!write.result?.outcome.ok) continue;
    if (last === undefined || !taken.includes(write.tag))
      return `write ${at} was acknowledged and never taken`;
    if (isOlder(history, last, write)) return `write ${at} was acknowledged, and ${last} stands`;
  }
  return undefined;
}

/** What a client hears of CometChat, it has heard from an attempt that had not ended when the client came. */
function stale({ writes, attempts }: History): string | undefined {
  const at = writes.findIndex(({ tag, sent, result }) => {
    if (!result || (!result.outcome.ok && result.outcome.isLocal)) return false;
    return !attempts.some((attempt) => attempt.tag === tag && attempt.ended >= sent);
  });
  return at < 0 ? undefined : `write ${at} was given an answer from before it`;
}

function falselySuperseded(history: History): string | undefined {
  for (const [at, write] of history.writes.entries()) {
    const { result } = write;
    if (!result || result.outcome.ok || result.outcome.problem !== 'superseded') continue;
    const isPossible = (other: Write, index: number) => index !== at && !isOlder(history, other.tag, write);
    if (!history.writes.some(isPossible)) return `nothing has superseded write ${at}`;
  }
  return undefined;
}

/** How long an attempt keeps others from starting: other tags, and all of another replica. */
const clearOf = ({ inDoubtMs }: History, { started, ended, isInDoubt }: Attempt): number =>
  isInDoubt ? Math.max(ended, started + inDoubtMs) : ended;

/** Timers may have fractions of a millisecond. */
const TICK_MS = 0.001;

function overlapping(history: History): string | undefined {
  for (const [at, { tag, replica, started }] of history.attempts.entries()) {
    for (const before of history.attempts.slice(0, at)) {
      if (before.tag === tag && before.replica === replica) continue;
      if (started < clearOf(history, before) - TICK_MS)
        return `${tag} was sent while ${before.tag} could still land`;
    }
  }
  return undefined;
}

/** The writes that were sent. One that was not, because its client or that of a newer one has left, supersedes nothing. */
const sentOf = ({ writes, attempts }: History): readonly Write[] =>
  writes.filter(
    ({ tag, sent, answered }) =>
      answered < NEVER &&
      attempts.some((attempt) => attempt.tag === tag && attempt.ended >= sent && attempt.started <= answered),
  );

/** A newer write ends the further attempts of older ones. */
function overtaken(history: History): string | undefined {
  const { attempts, isOnePlace, askingMs } = history;
  const others = sentOf(history);
  for (const { tag, started, delayedMs } of attempts) {
    const known = isOnePlace ? 0 : askingMs + delayedMs;
    const newer = others.find((write) => isOlder(history, tag, write) && write.sent + known < started);
    if (newer) return `${tag} was sent after the newer ${newer.tag} had come`;
  }
  return undefined;
}

/** The newest write is sent as soon as no other can land, and Redis has been asked. */
function delayed(history: History): string | undefined {
  const { writes, attempts, isOnePlace, askingMs, delayMs } = history;
  for (const [at, write] of writes.entries()) {
    const { tag, sent, answered, result } = write;
    const others = writes.filter((other) => other !== write);
    const isNewest = others.every((other) => other.tag === tag || isOlder(history, other.tag, write));
    const isAlone = isOnePlace || others.every((other) => other.answered < sent);
    const isJoined =
      result?.isJoined ||
      writes
        .slice(0, at)
        .some((other) => other.tag === tag && other.answered >= sent && other.answered < NEVER);
    if (!isNewest || !isAlone || isJoined || answered === NEVER) continue;
    const first = attempts.find((attempt) => attempt.tag === tag && attempt.ended >= sent);
    const isOwn = (attempt: Attempt) => attempt.tag === tag && attempt.replica === write.replica;
    const clear = attempts
      .filter((attempt) => attempt.started < sent || attempt.tag !== tag)
      .map((attempt) => (isOwn(attempt) ? attempt.ended : clearOf(history, attempt)));
    const due = Math.max(sent, ...clear) + askingMs + delayMs + TICK_MS;
    if (first && first.started > due) return `write ${at} waited for nothing until ${first.started}`;
  }
  return undefined;
}

/** A write that is superseded is told so as soon as no attempt of it is under way. */
function heardLate(history: History): string | undefined {
  const { writes, attempts, isOnePlace, askingMs, delayMs } = history;
  const others = sentOf(history);
  for (const [at, { tag, answered, result }] of writes.entries()) {
    const newer = others.find((other) => other.sent < answered && isOlder(history, tag, other));
    if (!isOnePlace || !newer || result?.outcome.ok || answered === NEVER) continue;
    const ends = attempts.filter((attempt) => attempt.tag === tag).map(({ ended }) => ended);
    const due = Math.max(newer.sent, ...ends) + askingMs + delayMs + TICK_MS;
    if (answered > due) return `write ${at} heard late that it was superseded`;
  }
  return undefined;
}

/** What was not sent is given back. */
function miscounted({ attempts, counted = attempts.length }: History): string | undefined {
  return counted === attempts.length
    ? undefined
    : `the quota has counted ${counted} of ${attempts.length} attempts`;
}
