import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { callerOf } from '../base/caller.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Client, Requester, Result } from '../cometchat/call.ts';
import type { CometChat } from '../cometchat/client.ts';
import type { Failure, Success } from '../cometchat/outcome.ts';
import { detailFor, type Naming } from './hints.ts';

// What the routes of this room have in common.

declare module 'fastify' {
  interface FastifyRequest {
    /** How long it took to find out who is calling, which counts to the deadline; how long the body takes does not. */
    admittedMs: number;
  }
}

/** The problems that every route can answer. */
export const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'session-missing',
  'session-invalid',
  'session-expired',
  'session-revoked',
  'identity-unmapped',
  'csrf-rejected',
  'not-a-member',
  'route-not-found',
  'conversation-not-found',
  'user-not-found',
  'group-not-found',
  'method-not-allowed',
  'request-timeout',
  'cometchat-rejected',
  'rate-limited',
  'headers-too-large',
  'internal',
  'cometchat-failed',
  'cometchat-reply-invalid',
  'gateway-misconfigured',
  'cometchat-busy',
  'cometchat-unavailable',
  'gateway-overloaded',
  'session-store-unavailable',
  'cometchat-timeout',
];

/** The problems of routes that take a body and change something. */
export const WRITE_PROBLEMS: readonly ProblemCode[] = [
  'body-malformed',
  'body-invalid',
  'superseded',
  'body-too-large',
  'media-type-unsupported',
];

/** An `onRequest` hook, after those that let the request in. */
export const noteAdmission: onRequestHookHandler = (request, reply, done) => {
  request.admittedMs = reply.elapsedTime;
  done();
};

/**
 * Calls CometChat for a request, until its client has left or its deadline is over, and tells the log how it went.
 *
 * @param naming the conversation as the request names it; a list is of no single one
 * @returns what CometChat answered, and how much of it was dropped
 * @throws ProblemError
 */
export async function ask<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  deadlineOf: CometChat['deadline'],
  naming: Naming | undefined,
  call: (requester: Requester & Client) => Promise<Result<T>>,
): Promise<Success<T>> {
  const { onBehalfOf } = callerOf(request);
  const deadline = deadlineOf(request.admittedMs);
  const result = await call({ onBehalfOf, deadline, gone: goneSignal(reply), trace: request.trace });
  request.logFields = logFields(result);
  const { outcome } = result;
  if (!outcome.ok) throw asProblem(outcome, naming);
  return outcome;
}

/** Aborted when the client has left. (Fastify's request.signal already is when the body has been read.) */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.destroyed) gone.abort();
  else raw.once('close', () => raw.writableFinished || gone.abort());
  return gone.signal;
}

function logFields({ outcome, retried, isJoined }: Result<unknown>) {
  const { status } = outcome;
  const code = outcome.ok ? undefined : outcome.code;
  return {
    ...(status !== undefined && { cometchat: { status, code } }),
    // What went wrong before it went well, or wrong for good.
    ...(retried.length > 0 && { retried }),
    ...(isJoined && { joined: true }),
    // What was odd about the reply.
    ...(outcome.ok ? { leftOut: outcome.leftOut, dropped: outcome.dropped } : { mismatch: outcome.mismatch }),
  };
}

function asProblem(
  { problem, errorType, retryAfterSeconds }: Failure,
  naming: Naming | undefined,
): ProblemError {
  const detail = naming && detailFor(problem, naming);
  return new ProblemError(problem, {
    errorType,
    ...(detail && { detail }),
    ...(retryAfterSeconds !== undefined && { headers: { 'retry-after': String(retryAfterSeconds) } }),
  });
}
