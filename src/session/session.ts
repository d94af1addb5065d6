import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { Claims } from '../base/caller.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { Metrics } from '../base/services.ts';
import type { VerifySession } from './claims.ts';
import { credentialOf } from './credential.ts';
import { rejectForgery } from './csrf.ts';
import { REASONS } from './reasons.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The claims of the request's session. */
    claims: Claims | null;
  }
}

interface SessionOptions {
  readonly verify: VerifySession;
  /** The cookie that may hold the session token; undefined where none may. */
  readonly cookieName: string | undefined;
  /** The other origins whose pages may use the cookie. */
  readonly origins: ReadonlySet<string>;
  readonly metrics: Metrics;
}

/** Who is calling? Sets `request.claims`, or throws a problem. */
export const session = fp(
  async (scope: FastifyInstance, { verify, cookieName, origins, metrics }: SessionOptions) => {
    const refusals = metrics.counter('sessions_refused_total', 'Sessions that were refused, by the reason', {
      reason: REASONS,
    });
    scope.decorateRequest('claims', null);
    scope.addHook('onRequest', async (request) => {
      try {
        const { token, isCookie } = credentialOf(request.raw, cookieName);
        if (isCookie) rejectForgery(request, origins);
        request.claims = await verify(token);
      } catch (error) {
        if (error instanceof ProblemError && error.reason) refusals.inc({ reason: error.reason });
        throw error;
      }
    });
  },
);
