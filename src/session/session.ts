import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Caller, Claims } from '../identity/identity.ts';
import type { Limit } from '../limits/limits.ts';
import type { VerifySession } from './claims.ts';
import { credentialOf } from './credential.ts';
import { refuseForgery } from './csrf.ts';
import { refusalOf } from './reasons.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/** What it takes to let a request in, in the order in which it is asked. */
export interface Entrance {
  /** The cookie that may hold the session token; undefined where none may. */
  readonly cookieName: string | undefined;
  /** The other origins whose pages may use the cookie. */
  readonly origins: ReadonlySet<string>;
  /** Who is calling? */
  readonly verify: VerifySession;
  /** Which CometChat user is that? */
  readonly identify: (claims: Claims) => Caller;
  /** How often may somebody knock whom nobody knows, and how often may a user call? */
  readonly limits: { readonly address: Limit; readonly user: Limit };
}

/**
 * Who gets these has shown a session that was good: an app must always be told to refresh it, however many
 * others sit behind the same address.
 */
const NO_STRANGERS: ReadonlySet<ProblemCode> = new Set(['session-expired', 'session-revoked']);

/** Lets nothing into the routes of this scope but requests with a valid session, each with its `caller`. */
export function authenticate(scope: FastifyInstance, entrance: Entrance): void {
  const { limits } = entrance;
  scope.decorateRequest('caller', null);
  scope.addHook('onRequest', async (request, reply) => {
    request.caller = await admit(entrance, request).catch((error) => {
      const reason = refusalOf(error);
      if (reason) scope.metrics.sessionsRefused.inc({ reason });
      return knock(limits.address, error, request, reply);
    });
    await limits.user(request, reply);
  });
}

async function admit(
  { cookieName, origins, verify, identify }: Entrance,
  request: FastifyRequest,
): Promise<Caller> {
  const { token, ambient } = credentialOf(request.raw, cookieName);
  if (ambient) refuseForgery(request, origins);
  return identify(await verify(token));
}

/**
 * Counts a refused request for its address. It is counted when it has failed, and not before it is looked at:
 * the good sessions behind one address, an office's or a carrier's, never pay for a bad neighbour.
 */
async function knock(
  limit: Limit,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<never> {
  const isStranger = error instanceof ProblemError && error.status < 500 && !NO_STRANGERS.has(error.code);
  if (isStranger) await limit(request, reply);
  throw error;
}

/** @returns the caller; a route outside the scope above has none, and gets a problem instead */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new ProblemError('session-missing');
  return request.caller;
}
