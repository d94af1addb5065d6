import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { ProblemError } from '../base/problem-error.ts';
import type { Result } from '../cometchat/client.ts';
import { addressOf } from '../http/client-address.ts';
import { refusalOf } from '../session/reasons.ts';
import { errorType } from './log.ts';
import { methodLabel } from './metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What became of the call to CometChat, where one was made. */
    cometchat: Result | null;
  }
}

/** Logs one line a request and counts its problem, whatever it ends with, and tells the client the id to find it by. */
export function logRequests(app: FastifyInstance): void {
  app.decorateRequest('cometchat', null);
  app.addHook('onRequest', (request, reply, done) => {
    logRequest(request, reply);
    done();
  });
}

/** The same for one request, which no hook may ever see. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  // Fastify's onResponse is for replies that were sent; a client that left closes its reply all the same.
  reply.raw.once('close', () => {
    // A request that was refused halfway has its line from http-edge.ts.
    const refused = !request.raw.complete && request.raw.socket.writableEnded;
    if (reply.raw.writableFinished || !refused) logLine(request, reply);
  });
}

function logLine(request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions } = request;
  const aborted = !reply.raw.writableFinished;
  count(request, reply, aborted);
  const level = levelOf(request);
  if (!(request.log as Logger).isLevelEnabled(level)) return;

  request.log[level](
    {
      method,
      // The pattern, not the address, which may hold what somebody typed or pasted.
      route: routeOptions.url,
      // None, where the client was gone before it could be answered.
      ...(reply.raw.headersSent && { status: reply.statusCode }),
      ...(aborted && { aborted, error: { type: 'client_gone' } }),
      ms: Math.round(reply.elapsedTime * 10) / 10,
      onBehalfOf: request.caller?.onBehalfOf,
      ...strangerFields(request),
      ...resultFields(request.cometchat),
      ...failureFields(request),
    },
    'request',
  );
}

function count(request: FastifyRequest, reply: FastifyReply, aborted: boolean): void {
  const { method, routeOptions, failure, server } = request;
  const { problems, clientsGone, serverDuration } = server.metrics;
  if (failure && !isState(request)) problems.inc({ code: failure.code });
  if (aborted) clientsGone.inc();
  const labels = {
    http_request_method: methodLabel(method),
    http_route: routeOptions.url ?? '',
    http_response_status_code: aborted ? '' : reply.statusCode,
    error_type: aborted ? 'client_gone' : (failure?.code ?? ''),
  };
  serverDuration.observe(labels, reply.elapsedTime / 1000);
}

/** Whether it is a probe that was told how the replica is, good or bad, which it asks for again and again. */
const isState = ({ failure, routeOptions }: FastifyRequest): boolean =>
  routeOptions.config.probe === true && (!failure || failure.status === 503);

function levelOf(request: FastifyRequest): 'error' | 'warn' | 'info' | 'debug' {
  const { failure } = request;
  if (failure?.code === 'internal' || failure?.code === 'gateway-misconfigured') return 'error';
  if (isState(request) || failure?.isRepeated) return 'debug';
  return failure && failure.status >= 500 ? 'warn' : 'info';
}

/** Whoever is refused before anybody knows who it is can be told apart by the address alone. */
function strangerFields(request: FastifyRequest) {
  const status = request.failure?.status;
  return (
    !request.caller && (status === 401 || status === 403 || status === 429) && { address: addressOf(request) }
  );
}

function resultFields(result: Result | null) {
  if (!result) return undefined;
  const { outcome, retried, merged } = result;
  return {
    ...(outcome.status !== undefined && {
      cometchat: { status: outcome.status, ...(!outcome.ok && { code: outcome.code }) },
    }),
    // What went wrong before it went well, or wrong for good.
    ...(retried.length > 0 && { retried }),
    ...(merged && { merged }),
    ...(!outcome.ok && { shape: outcome.shape }),
  };
}

function failureFields({ failure, cometchat }: FastifyRequest) {
  if (!failure) return undefined;
  const { code, cause } = failure;
  return {
    problem: code,
    error: { type: errorTypeOf(failure, cometchat) },
    reason: refusalOf(failure),
    // Only for what nobody foresaw; elsewhere the type says it all.
    ...(code === 'internal' && { err: cause }),
  };
}

/** What went wrong: more exact than the problem, where that stands for several things. */
function errorTypeOf({ code, cause }: ProblemError, result: Result | null): string {
  if (result && !result.outcome.ok) return result.outcome.errorType;
  return code === 'session-store-unavailable' ? errorType(cause) : code;
}
