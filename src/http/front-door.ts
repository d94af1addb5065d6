import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Header fields of every reply, those that no hook sees included. */
    responseHeaders: Readonly<Record<string, string>>;
  }
}

/** An id of the client's could be anybody's, or a log line of its own making. */
export const newRequestId = (): string => randomUUID();

/**
 * Puts on every reply the header fields of a JSON API that browsers call, and the id under which the log has the request.
 *
 * @param hstsMaxAge seconds for which browsers shall use https:// alone (RFC 6797); undefined leaves it unsaid
 */
export function addResponseHeaders(app: FastifyInstance, hstsMaxAge: number | undefined): void {
  app.decorate('responseHeaders', {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(hstsMaxAge !== undefined && { 'strict-transport-security': `max-age=${hstsMaxAge}` }),
  });
  app.addHook('onRequest', (_request, reply, done) => {
    setResponseHeaders(reply);
    done();
  });
}

/** The same for one reply, of a request that no hook sees. */
export function setResponseHeaders(reply: FastifyReply): void {
  reply.headers(reply.server.responseHeaders).header('x-request-id', reply.request.id);
}

/** Ends the connection after the reply to a request whose method has no body, and that brings one: nobody would bound it. */
export function closeAfterUnreadBody(app: FastifyInstance): void {
  app.addHook('onRequest', ({ method, headers }, reply, done) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = headers;
    const isUnread = (method === 'GET' || method === 'HEAD') && (Number(length) > 0 || coding !== undefined);
    if (isUnread) reply.header('connection', 'close');
    done();
  });
}

const OTHER_ORIGIN =
  'The origin of the page is not in CORS_ORIGINS, so the browser does not send its request. ' +
  'To let its pages call the gateway, add the origin to CORS_ORIGINS and restart.';

/** Rejects what no route could answer, before any body is read: unknown addresses and wrong methods. */
export function rejectUnknownRoutes(app: FastifyInstance): void {
  // A list of our own: Fastify's hasRoute() takes an address for a route's pattern, and would compile any regular
  // expression that a client sends.
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    methods.set(url, (methods.get(url) ?? new Set()).union(new Set([method].flat())));
  });
  app.addHook('onRequest', ({ is404, routeOptions, url, refusedPreflight }, _reply, done) => {
    // The CORS plugin's route for all preflights is no address of this API.
    if (is404 || routeOptions.url === '*') {
      const [path = ''] = url.split('?', 1);
      const allowed = methods.get(path);
      if (!allowed) return done(new ProblemError('route-not-found'));
      return done(
        new ProblemError('method-not-allowed', {
          headers: { allow: [...allowed].join(', ') },
          ...(refusedPreflight && { detail: OTHER_ORIGIN }),
        }),
      );
    }
    done();
  });
}
