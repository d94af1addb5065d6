import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { Claims } from '../base/caller.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { Metrics } from '../base/services.ts';
import type { Verdict } from './claims.ts';
import { credentialOf } from './credential.ts';
import { rejectForgery } from './csrf.ts';
import { REASONS } from './reasons.ts';
import type { Revocation } from './revocation.ts';
import type { Verifier } from './verifiers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The claims of the request's session. */
    claims: Claims | null;
    /** Whether the session has been revoked; null where it cannot be. Redis is asked while the request goes on to its route. */
    revocation: Revocation | null;
  }
}

interface SessionOptions extends Pick<Verifier, 'verify' | 'revocationOf'> {
  /** The cookie that may hold the session token; undefined where none may. */
  readonly cookieName: string | undefined;
  /** The other origins whose pages may use the cookie. */
  readonly origins: ReadonlySet<string>;
  readonly metrics: Metrics;
}

/** Who is calling? Sets `request.claims`, or refuses the request. */
export const session = fp(
  async (scope: FastifyInstance, { verify, revocationOf, cookieName, origins, metrics }: SessionOptions) => {
    const refusals = metrics.counter('sessions_refused_total', 'Sessions that were refused, by the reason', {
      reason: REASONS,
    });
    const counted = <E>(error: E): E => {
      if (error instanceof ProblemError && error.reason) refusals.inc({ reason: error.reason });
      return error;
    };
    scope.decorateRequest('claims', null);
    scope.decorateRequest('revocation', null);
    scope.addHook('onRequest', (request, _reply, done) => {
      const refuse = (error: Error) => done(counted(error));
      const admit = (verdict: Verdict) => {
        if (verdict instanceof ProblemError) return refuse(verdict);
        const revocation = revocationOf?.(verdict);
        if (revocation instanceof ProblemError) return refuse(revocation);
        request.claims = verdict;
        request.revocation = revocation?.then(counted) ?? null;
        done();
      };
      const credential = credentialOf(request.raw, cookieName);
      if (credential instanceof ProblemError) return refuse(credential);
      if (credential.isCookie) rejectForgery(request, origins);
      const verdict = verify(credential.token);
      if (verdict instanceof Promise) verdict.then(admit, refuse);
      else admit(verdict);
    });
    if (!revocationOf) return;
    // No route gets a request before the answer has come.
    scope.addHook('preParsing', async ({ revocation }) => {
      const refusal = await revocation;
      if (refusal) throw refusal;
    });
  },
);
