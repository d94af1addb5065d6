import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';

/** How many requests that wait go on in each turn of the event loop. */
const PER_TURN = 4;

/**
 * Puts good requests before those of a flood: a request on a connection whose last one was refused waits until the others have
 * had their turn. Where there are no others it goes on at once.
 *
 * A load balancer may send the requests of many clients over one connection. Then a good request may wait behind those of other
 * connections, because the request before it was refused.
 */
export function goodRequestsFirst(scope: FastifyInstance): void {
  const refused = new WeakSet<Socket>();
  const waiting = new Map<Socket, () => void>();
  let isScheduled = false;
  const schedule = () => {
    if (!isScheduled) setImmediate(serve);
    isScheduled = true;
  };
  const serve = () => {
    isScheduled = false;
    if (waiting.size > PER_TURN) schedule();
    for (const [socket, goOn] of waiting.entries().take(PER_TURN)) {
      waiting.delete(socket);
      goOn();
    }
  };
  scope.addHook('onRequest', ({ socket }, _reply, done) => {
    const earlier = waiting.get(socket);
    if (earlier) {
      // The client does not wait for its answers (pipelining). Its requests keep their order, and no more than one waits.
      waiting.delete(socket);
      earlier();
    } else if (refused.delete(socket)) {
      waiting.set(socket, done);
      return schedule();
    }
    done();
  });
  scope.addHook('onError', ({ socket }, _reply, error, done) => {
    if (error instanceof ProblemError && error.status < 500) refused.add(socket);
    done();
  });
}
