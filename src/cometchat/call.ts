import type { ProblemCode } from '../base/problems.ts';
import type { UpstreamConversation } from './conversation.ts';

/** CometChat has taken the tags. */
export interface Success {
  readonly ok: true;
  readonly status: number;
  readonly conversations: UpstreamConversation[];
}

/** It has not, or nobody knows. */
export interface Failure {
  readonly ok: false;
  readonly problem: ProblemCode;
  /** CometChat's code, a Node.js error code, or what was wrong with the reply; else the problem's code. */
  readonly errorType: string;
  /** CometChat's HTTP status and `error.code`, where it answered. */
  readonly status?: number;
  readonly code?: string;
  /** How long whoever sends it again should wait. */
  readonly retryAfterSeconds?: number;
  /** Of a reply in an unknown form: its names and types, without any value. */
  readonly shape?: string;
}

/** What became of one try, or of a whole write. */
export type Outcome = Success | Failure;

/** Why a write ended that CometChat was not asked about, or not to its end. */
export const ended = (problem: ProblemCode, retryAfterSeconds?: number): Failure => ({
  ok: false,
  problem,
  errorType: problem,
  ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
});

/** Whether it holds for everybody who waits for the same write: CometChat was asked, and it was not for want of time. */
export const isForAll = (outcome: Outcome): boolean =>
  outcome.ok ||
  outcome.status !== undefined ||
  (outcome.problem === 'cometchat-failed' && outcome !== ABANDONED);

/** The time of whoever waits is over, and no try was there to say so. */
export const LATE: Failure = { ok: false, problem: 'cometchat-timeout', errorType: 'deadline' };

/** Nobody waits for the outcome any more: no client will ever read this. */
export const ABANDONED: Failure = { ok: false, problem: 'cometchat-failed', errorType: 'client_gone' };
