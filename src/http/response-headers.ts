import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** What every reply says, those that no hook sees included. */
    responseHeaders: Readonly<Record<string, string>>;
  }
}

/**
 * Puts the header fields of a JSON API that browsers call on every reply: it is one user's, and nothing but what
 * its Content-Type says.
 *
 * @param hstsMaxAge seconds for which browsers shall use https:// alone (RFC 6797); undefined leaves it unsaid
 */
export function addResponseHeaders(app: FastifyInstance, hstsMaxAge: number | undefined): void {
  const headers = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(hstsMaxAge !== undefined && { 'strict-transport-security': `max-age=${hstsMaxAge}` }),
  };
  app.decorate('responseHeaders', headers);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}
