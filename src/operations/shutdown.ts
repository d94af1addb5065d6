import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    shutdown: Shutdown;
  }
}

/** Requests that are still arriving, and replies that are not read yet, have so long when nothing else is left. */
const LAST_MS = 1000;
/** How often a server that takes no more connections is looked at for the end of its last call. */
const LOOK_EVERY_MS = 10;

/** How an app ends: first it is not ready, then it takes no new connections, then it closes the others. */
class Shutdown {
  /** The replies that have not been sent whole. */
  readonly open = new Set<FastifyReply>();
  /** Whether load balancers should send their requests elsewhere. */
  isDraining = false;

  /** How many requests have arrived whole and are not answered. An answer that the client does not read is none of them. */
  get callsInHand(): number {
    return [...this.open].filter(({ request, raw }) => request.raw.complete && !raw.writableEnded).length;
  }

  /** How many requests have not arrived whole. */
  get arriving(): number {
    return [...this.open].filter(({ request }) => !request.raw.complete).length;
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
  app.addHook('onRequest', (_request, reply, done) => {
    shutdown.open.add(reply);
    reply.raw.once('close', () => shutdown.open.delete(reply));
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
 * Ends what is left when the last call has been answered: connections without a request, which count as active in Node.js, and
 * after a while requests that are still arriving and replies that nobody reads, which no timeout of Node.js' ends any more.
 */
function endConnections({ server, log, shutdown }: FastifyInstance): void {
  const patience = performance.now() + LAST_MS;
  const look = setInterval(() => {
    if (server.listening || shutdown.callsInHand > 0) return;
    if (shutdown.open.size > 0 && performance.now() < patience) return;
    clearInterval(look);
    const { arriving } = shutdown;
    if (arriving > 0) log.warn({ requests: arriving }, 'cut off requests that did not arrive');
    server.closeAllConnections();
  }, LOOK_EVERY_MS).unref();
}
