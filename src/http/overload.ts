import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';
import type { EventLoop } from './event-loop.ts';

/** Refuses the requests that have queued up while the event loop was held, before any work is put into them. */
export function shedLoad(scope: FastifyInstance, eventLoop: EventLoop): void {
  scope.addHook('onRequest', (_request, _reply, done) =>
    done(eventLoop.wasHeld ? new ProblemError('gateway-overloaded') : undefined),
  );
}
