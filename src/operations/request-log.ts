import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Logger } from 'pino';
import type { Metrics } from '../base/services.ts';
import { addressOf } from '../http/client-address.ts';
import { problemsTotal } from '../http/problem-replies.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Logs a request when it has ended; a hook does this for all but those that no hook sees. */
    logRequest(request: FastifyRequest, reply: FastifyReply): void;
  }
  interface FastifyRequest {
    /** What a route adds to the line of its request. */
    logFields: object | null;
  }
  interface FastifyContextConfig {
    /** Asked every few seconds by machines: logged at debug level. */
    probe?: boolean;
  }
}

/** All other methods are `_OTHER`: a client could make up as many as it likes. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
export const methodLabel = (method: string): string => (METHODS.has(method) ? method : '_OTHER');

/** Logs one line a request, and counts it. */
export const requestLog = fp(async (app: FastifyInstance, { metrics }: { readonly metrics: Metrics }) => {
  const count = counting(metrics);
  app.decorateRequest('logFields', null);
  app.decorate('logRequest', (request, reply) => {
    // Fastify's onResponse is for replies that were sent; a client that left closes its reply all the same.
    reply.raw.once('close', () => {
      // A request that was rejected halfway has its line from raw-errors.ts.
      const isRejected = !request.raw.complete && request.raw.socket.writableEnded;
      if (!reply.raw.writableFinished && isRejected) return;
      count(request, reply);
      writeLine(request, reply);
    });
  });
  app.addHook('onRequest', (request, reply, done) => {
    app.logRequest(request, reply);
    done();
  });
});

function writeLine(request: FastifyRequest, reply: FastifyReply): void {
  const level = levelOf(request);
  if (!(request.log as Logger).isLevelEnabled(level)) return;
  const aborted = !reply.raw.writableFinished;
  request.log[level](
    {
      method: request.method,
      // The pattern, not the address, which may hold what somebody typed or pasted.
      route: request.routeOptions.url,
      // None, where the client was gone before it could be answered.
      ...(reply.raw.headersSent && { status: reply.statusCode }),
      ...(aborted && { aborted, error: { type: 'client_gone' } }),
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ...(!isStranger(request) && { onBehalfOf: request.caller?.onBehalfOf }),
      ...strangerFields(request),
      ...request.logFields,
      ...failureFields(request),
      ...request.refusedPreflight,
    },
    'request',
  );
}

function counting(metrics: Metrics) {
  const problems = problemsTotal(metrics);
  const clientsGone = metrics.counter('clients_gone_total', 'Requests whose client left before the answer');
  const duration = metrics.duration(
    'http_server_request_duration_seconds',
    'How long requests took, from their header fields to the last byte of the answer',
    ['http_request_method', 'http_route', 'http_response_status_code', 'error_type'],
  );
  return (request: FastifyRequest, reply: FastifyReply) => {
    const { method, routeOptions, failure } = request;
    const aborted = !reply.raw.writableFinished;
    if (failure && !isState(request)) problems.inc({ code: failure.code });
    if (aborted) clientsGone.inc();
    duration.observe(
      {
        http_request_method: methodLabel(method),
        http_route: routeOptions.url ?? '',
        http_response_status_code: aborted ? '' : reply.statusCode,
        error_type: aborted ? 'client_gone' : (failure?.code ?? ''),
      },
      reply.elapsedTime / 1000,
    );
  };
}

/** Whether it is a probe that was told how the replica is, good or bad, which it asks for again and again. */
const isState = ({ failure, routeOptions }: FastifyRequest): boolean =>
  routeOptions.config.probe === true && (!failure || failure.status === 503);

function levelOf(request: FastifyRequest): 'error' | 'warn' | 'info' | 'debug' {
  const { failure } = request;
  if (failure?.code === 'internal' || failure?.code === 'gateway-misconfigured') return 'error';
  if (isState(request)) return 'debug';
  if (failure && failure.status >= 500) return 'warn';
  const bounded = failure?.code ?? request.refusedPreflight?.reason ?? strangersRequest(request);
  return bounded ? request.server.refusals.levelOf(addressOf(request), bounded) : 'info';
}

/** What else strangers can send as often as they like: preflights that are allowed, and requests that they take back. */
function strangersRequest(request: FastifyRequest): string | undefined {
  if (!isStranger(request)) return undefined;
  return request.method === 'OPTIONS' ? 'preflight' : 'client_gone';
}

/** Whether no session is proven. One that was revoked has a caller until Redis has answered. */
const isStranger = ({ caller, failure }: FastifyRequest): boolean => !caller || failure?.reason !== undefined;

/** A client that has not proven who it is can be told apart by its address alone; limits/ counts these. */
function strangerFields(request: FastifyRequest) {
  const status = request.failure?.status;
  return (
    isStranger(request) &&
    (status === 401 || status === 403 || status === 429) && { address: addressOf(request) }
  );
}

function failureFields({ failure }: FastifyRequest) {
  if (!failure) return undefined;
  const { code, errorType, reason, claim, cause } = failure;
  return {
    problem: code,
    error: { type: errorType },
    reason,
    claim,
    // Only for what nobody foresaw; elsewhere the type says it all.
    ...(code === 'internal' && { err: cause }),
  };
}
