import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    shutdown: Shutdown;
  }
}

/** What is still on its way in when nothing else is left has so long to arrive. */
const ARRIVAL_MS = 1000;
/** How often a server that takes no more connections is looked at for the end of its last call. */
const LOOK_EVERY_MS = 10;

/** The way out of an app: told of first, then without new connections, then without any. */
export class Shutdown {
  readonly #app: FastifyInstance;
  readonly #open = new Set<FastifyRequest>();
  #isDraining = false;

  constructor(app: FastifyInstance) {
    this.#app = app;
    app.addHook('onRequest', (request, reply, done) => {
      this.#open.add(request);
      reply.raw.once('close', () => this.#open.delete(request));
      done();
    });
    // None of the clients that get a reply from now on sends the next request into a socket that is just being
    // closed. (Fastify does this only for requests that arrive after the close.)
    app.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.#isDraining) reply.header('connection', 'close');
      done();
    });
    app.addHook('preClose', async () => {
      this.#isDraining = true;
      this.#endConnections();
    });
  }

  /** Whether load balancers should send their requests elsewhere. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How many requests are in hand that have arrived whole. */
  get callsInHand(): number {
    return [...this.#open].filter(({ raw }) => raw.complete).length;
  }

  /** Serves on for so many milliseconds, not ready any more, so that load balancers have the time to see it. */
  async drain(ms: number): Promise<void> {
    this.#isDraining = true;
    await wait(ms);
  }

  /**
   * Ends what is left when the last call has been answered: connections that nobody has sent anything on, which count
   * as active in Node.js, and in a while requests that are still on their way, which no timeout of Node.js' ends any more.
   */
  #endConnections(): void {
    const { server, log } = this.#app;
    const arrived = performance.now() + ARRIVAL_MS;
    const look = setInterval(() => {
      if (server.listening || this.callsInHand > 0) return;
      if (this.#open.size > 0 && performance.now() < arrived) return;
      clearInterval(look);
      if (this.#open.size > 0)
        log.warn({ requests: this.#open.size }, 'cut off requests that did not arrive');
      server.closeAllConnections();
    }, LOOK_EVERY_MS).unref();
  }
}
