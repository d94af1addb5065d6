import type { FastifyInstance } from 'fastify';

/** What every reply says: it is one user's, and nothing but what its Content-Type says. */
export const RESPONSE_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * Puts the header fields of a JSON API that browsers call on every reply.
 *
 * @param hstsMaxAge seconds for which browsers shall use https:// alone (RFC 6797); undefined leaves it unsaid
 */
export function addResponseHeaders(app: FastifyInstance, hstsMaxAge: number | undefined): void {
  const headers = {
    ...RESPONSE_HEADERS,
    ...(hstsMaxAge !== undefined && { 'strict-transport-security': `max-age=${hstsMaxAge}` }),
  };
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(headers);
  });
}
