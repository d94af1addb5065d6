import type { FastifyInstance } from 'fastify';

/**
 * Tells every client that gets a reply during the shutdown that its connection ends with it, so that none
 * of them sends the next request into a socket that is just being closed.
 *
 * @returns whether the app is shutting down
 */
export function endConnectionsOnClose(app: FastifyInstance): () => boolean {
  let draining = false;
  app.addHook('preClose', async () => {
    draining = true;
  });
  // Fastify does this only for requests that arrive after the close.
  app.addHook('onSend', async (_request, reply) => {
    if (draining) reply.header('connection', 'close');
  });
  return () => draining;
}
