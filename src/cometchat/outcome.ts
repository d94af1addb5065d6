import type { ProblemCode } from '../base/problems.ts';

/** How much of the app's quota is left, for all of its callers together. */
export interface QuotaReport {
  readonly limit: number;
  readonly remaining: number;
  /** When the quota is whole again, in UNIX seconds. */
  readonly reset: number;
}

export interface Success<T> {
  readonly ok: true;
  readonly status: number;
  readonly value: T;
  /** See Reading. */
  readonly leftOut?: readonly string[] | undefined;
  readonly dropped?: number | undefined;
  readonly quota?: QuotaReport | undefined;
}

/** A failure says by itself what follows from it. */
export interface Failure {
  readonly ok: false;
  readonly problem: ProblemCode;
  /** CometChat's code, a Node.js error code, or what was wrong with the reply; else the problem's code. */
  readonly errorType: string;
  /** Another attempt may succeed. */
  readonly isTransient: boolean;
  /** CometChat may still carry the call out, or have done so. */
  readonly isInDoubt: boolean;
  /** It ended in the gateway: nothing was sent. */
  readonly isLocal: boolean;
  /** CometChat does not accept the API key. */
  readonly isKeyRefused: boolean;
  /** CometChat's HTTP status and `error.code`, where it answered. */
  readonly status?: number;
  readonly code?: string;
  readonly retryAfterSeconds?: number;
  /** Of a reply in an unknown form; see Reading. */
  readonly mismatch?: string;
  readonly quota?: QuotaReport | undefined;
}

export type Outcome<T> = Success<T> | Failure;

/** A call that ends in the gateway. */
export const rejected = (problem: ProblemCode, retryAfterSeconds?: number, errorType = problem as string) =>
  ({
    ok: false,
    problem,
    errorType,
    isTransient: false,
    isInDoubt: false,
    isLocal: true,
    isKeyRefused: false,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }) satisfies Failure as Failure;

/** The deadline came first. */
export const DEADLINE_EXCEEDED = rejected('cometchat-timeout', undefined, 'deadline');

/** The client left, so nobody will read this. */
export const CLIENT_GONE = rejected('cometchat-failed', undefined, 'client_gone');

/** The turn, or the minute that the quota is of, ended before the attempt was sent: both are asked for again. */
export const TURN_LOST = rejected('superseded', undefined, 'turn_lost');

/** A newer replace of the same conversation's tags came first. */
export const SUPERSEDED = rejected('superseded');

/** The change would make the set larger than CometChat takes. */
export const TOO_MANY_TAGS = rejected('too-many-tags');
