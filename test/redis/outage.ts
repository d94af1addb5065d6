import type { Test } from 'tap';
import type { Gateway } from '../helpers/gateway.ts';
import { sessionKey } from '../helpers/redis.ts';
import { bearer, ME } from '../helpers/tokens.ts';

const TOKEN = 'opaque';
/** Where Redis has the session of that token, and what it is. */
export const SESSION = sessionKey(TOKEN);
export const STORED = ['SET', SESSION, JSON.stringify({ sub: ME }), 'EX', 600] as const;

/** Calls with the session that Redis has, with a JWT that must be checked there, or with one that need not be. */
export const withOpaque = ({ put }: Gateway) => put({ tags: [] }, { authorization: `Bearer ${TOKEN}` });
export const withRevocable = async ({ put }: Gateway) => put({ tags: [] }, await bearer({ jti: 'a' }));
export const withoutJti = async ({ put }: Gateway) => put({ tags: [] });

/** Gateways that have given back a count of theirs: they check a session before they count its request. */
const checkingFirst = new WeakSet<Gateway>();

/** Checks that a call is refused because Redis cannot be asked about its session, for this reason in the log. */
export const isUnchecked = (
  t: Test,
  gateway: Gateway,
  send: (gateway: Gateway) => ReturnType<Gateway['put']>,
  type: string | RegExp = 'disconnected',
) => {
  const isCounted = send === withRevocable && !checkingFirst.has(gateway);
  checkingFirst.add(gateway);
  return gateway.refused(t, () => send(gateway), 503, 'session-store-unavailable', {
    retryAfter: 2,
    line: { error: { type } },
    reason: 'unchecked',
    moved: {
      [`redis_failures ${send === withOpaque ? 'session' : 'revocation'}`]: 1,
      ...(isCounted && { 'redis_failures rate_limit': 1 }),
    },
  });
};

/**
 * Checks that a call whose session need not be checked in Redis is served, with the state of the process alone.
 *
 * @param knowsRevocations whether Redis has told of the session all the same
 */
export const isServedAlone = (t: Test, gateway: Gateway, { knowsRevocations = false } = {}) =>
  gateway.meets(
    t,
    {
      answer: 200,
      calls: 1,
      line: { level: 'info', status: 200 },
      moved: {
        'attempts ok': 1,
        ...(!knowsRevocations && { 'redis_failures revocation': 1 }),
        'redis_failures rate_limit': 1,
        'redis_failures quota': 1,
        'redis_failures write_order': 1,
      },
    },
    () => withoutJti(gateway),
  );
