import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    shutdown: Shutdown;
  }
}

/** Requests that are still arriving when nothing else is left have so long to do so. */
const ARRIVAL_MS = 1000;
/** How often a server that takes no more connections is looked at for the end of its last call. */
const LOOK_EVERY_MS = 10;

/** How an app ends: first it is not ready, then it takes no new connections, then it closes the others. */
class Shutdown {
  readonly open = new Set<FastifyRequest>();
  /** Whether load balancers should send their requests elsewhere. */
  isDraining = false;

  /** How many requests are in hand that have arrived whole. */
  get callsInHand(): number {
    return [...this.open].filter(({ raw }) => raw.complete).length;
  }

  /** Goes on serving, but not ready any more, so that load balancers have the time to see it. */
  async drain(ms: number): Promise<void> {
    this.isDraining = true;
    await wait(ms);
  }
}

/** Makes `app.close()` answer the calls in hand and end all connections; see Shutdown. */
export const gracefulShutdown = fp(async (app: FastifyInstance) => {
  const shutdown = new Shutdown();
  app.decorate('shutdown', shutdown);
  app.addHook('onRequest', (request, reply, done) => {
    shutdown.open.add(request);
    reply.raw.once('close', () => shutdown.open.delete(request));
    done();
  });
  // No client that gets a reply from now on sends its next request into a socket that is just being closed. (Fastify does
  // this only for requests that arrive after the close.)
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (shutdown.isDraining) reply.header('connection', 'close');
    done();
  });
  app.addHook('preClose', async () => {
    shutdown.isDraining = true;
    endConnections(app);
  });
});

/**
 * Ends what is left when the last call has been answered: connections without a request, which count as active in Node.js,
 * and after a while requests that are still arriving, which no timeout of Node.js' ends any more.
 */
function endConnections({ server, log, shutdown }: FastifyInstance): void {
  const arrived = performance.now() + ARRIVAL_MS;
  const look = setInterval(() => {
    if (server.listening || shutdown.callsInHand > 0) return;
    if (shutdown.open.size > 0 && performance.now() < arrived) return;
    clearInterval(look);
    if (shutdown.open.size > 0)
      log.warn({ requests: shutdown.open.size }, 'cut off requests that did not arrive');
    server.closeAllConnections();
  }, LOOK_EVERY_MS).unref();
}
