import type { Clock } from '../../../src/base/clock.ts';
import type { Result } from '../../../src/cometchat/call.ts';
import type { Change } from '../../../src/cometchat/change.ts';

/** When a client that has left is answered. */
export const NEVER = Number.POSITIVE_INFINITY;

/** A write as its client saw it. */
export interface Write {
  /** What it sets: its number, or that of the write that it repeats. */
  readonly tag: number;
  readonly change: Change | 'read';
  readonly replica: number;
  readonly sent: number;
  /** NEVER where the client has left: it does not know. */
  answered: number;
  result: Result<unknown> | undefined;
}

/** An attempt as it went over the wire. */
export interface Attempt {
  /** Undefined of a read. */
  readonly tags: readonly string[] | undefined;
  /** The first of them. */
  readonly tag: number;
  readonly replica: number;
  readonly started: number;
  /** How long its start was delayed after its turn had come. */
  readonly delayedMs: number;
  ended: number;
  /** CometChat may carry it out after it has ended. */
  isInDoubt: boolean;
}

/** All that happened in a scenario. */
export interface History {
  readonly timeline: Timeline;
  readonly writes: readonly Write[];
  readonly attempts: readonly Attempt[];
  /** The tags as CometChat has taken them, one after the other. */
  readonly taken: readonly number[];
  /** All that it has in the end. */
  readonly tags?: readonly string[];
  /** The gateway that was killed. */
  readonly killed?: number | undefined;
  /** Whether Redis has one. */
  readonly hasFailover?: boolean | undefined;
  /** How many calls the quota in Redis has counted. */
  readonly counted?: number | undefined;
  /** Whether a write came before another one for all to see. */
  readonly precedes: (write: Write, other: Write) => boolean;
  /** All come to one gateway, which sees one after the other. */
  readonly isOnePlace: boolean;
  /** How long an attempt in doubt delays a different write. */
  readonly inDoubtMs: number;
  /** How long Redis is asked at most before a write is sent that need not wait. */
  readonly askingMs: number;
  /** The longest time between a first turn and the wire. */
  readonly delayMs: number;
}

/** What happens in a scenario, as one reads it: a line each, told when it happens. */
export class Timeline {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #begin: number;
  readonly #lines: string[] = [];

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#begin = clock.now();
  }

  tell(text: string): void {
    this.#lines.push(`${(this.#clock.now() - this.#begin).toFixed(1).padStart(9)} ms  ${text}`);
  }

  toString(): string {
    return this.#lines.join('\n');
  }
}

/** How a write ended, in a few words. */
export function ending(result: Result<unknown> | undefined): string {
  if (!result) return 'nothing';
  const { outcome, isJoined } = result;
  return `${outcome.ok ? 'ok' : outcome.errorType}${isJoined ? ', joined' : ''}`;
}

/** A change in a few words. */
export function told(change: Change | 'read'): string {
  if (change === 'read') return 'a read';
  return change.kind === 'replace' ? `= ${change.tags}` : `+ ${change.add} - ${change.remove}`;
}
