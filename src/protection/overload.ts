import type { FastifyInstance } from 'fastify';
import type { EventLoop } from '../operations/event-loop.ts';
import { ProblemError } from '../problem-error.ts';

/** Refuses the requests that have queued up while the event loop was held, before any work is put into them. */
export function shedLoad(scope: FastifyInstance, eventLoop: EventLoop): void {
  scope.addHook('onRequest', (_request, _reply, done) =>
    done(eventLoop.wasHeld ? new ProblemError('gateway-overloaded') : undefined),
  );
}
