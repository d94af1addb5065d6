import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';

/** How many requests that wait go on in each turn of the event loop. */
const PER_TURN = 4;

/**
 * Puts good requests before those of a flood: a request on a connection whose last one was refused (4xx) waits until the others
 * have had their turn. Where there are no others it goes on at once.
 *
 * Behind a load balancer that shares its connections among clients, all connections are alike, and nobody is put first.
 */
export function goodRequestsFirst(scope: FastifyInstance): void {
  const refused = new WeakSet<Socket>();
  // At most one for each connection.
  const waiting: (() => void)[] = [];
  const serve = () => {
    for (const goOn of waiting.splice(0, PER_TURN)) goOn();
    if (waiting.length > 0) setImmediate(serve);
  };
  scope.addHook('onRequest', (request, _reply, done) => {
    if (!refused.delete(request.socket)) return done();
    if (waiting.push(done) === 1) setImmediate(serve);
  });
  scope.addHook('onError', (request, _reply, error, done) => {
    if (error instanceof ProblemError && error.status < 500) refused.add(request.socket);
    done();
  });
}
