import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller, Claims } from '../identity.ts';
import { ProblemError } from '../problem-error.ts';
import { bearerToken } from './bearer.ts';
import type { VerifySession } from './secret.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/**
 * Lets nothing into the routes of this scope but requests with a valid session, each with its `caller`.
 *
 * @param verify who is calling?
 * @param identify which CometChat user is that?
 */
export function authenticate(
  scope: FastifyInstance,
  verify: VerifySession,
  identify: (claims: Claims) => Caller,
): void {
  scope.decorateRequest('caller', null);
  scope.addHook('onRequest', async (request) => {
    request.caller = identify(await verify(bearerToken(request.raw)));
  });
}

/** @returns the caller; a route outside the scope above has none, and gets a problem instead */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new ProblemError('session-missing');
  return request.caller;
}
