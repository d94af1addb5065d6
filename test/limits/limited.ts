import type { Test } from 'tap';
import type { Reason } from '../../src/session/reasons.ts';
import type { Answer } from '../helpers/answers.ts';
import type { Variables } from '../helpers/environment.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer } from '../helpers/tokens.ts';

/** Ten seconds into a minute. */
const NOW = 10_000;
/** The seconds that are left of it. */
export const LEFT = 50;

/** A gateway with a limit of so many a minute. */
export async function limited(t: Test, perMinute: number, env: Variables = {}) {
  const variables = { RATE_LIMIT_PER_MINUTE: String(perMinute), ...env };
  const gateway = await startGateway(t, variables, { seams: { now: () => NOW } });
  const { put, refused } = gateway;
  const isBeyond = (limit: 'user' | 'address') => (send: () => Promise<Answer | string>, reason?: Reason) =>
    refused(t, send, 429, 'rate-limited', {
      // The reason is the session's, and the line tells of the limit.
      line: { reason: undefined },
      retryAfter: LEFT,
      reason,
      moved: { [`rate_limited ${limit}`]: 1 },
    });
  return {
    ...gateway,
    /** Calls as a user, or with the claims of one. */
    as: async (sub: string, claims: Record<string, unknown> = {}) =>
      put({ tags: [], conversationWith: 'cometchat-uid-3' }, await bearer({ sub, ...claims })),
    /** Calls with a session that is none. */
    stranger: (headers: Record<string, string> = {}) =>
      put({ tags: [] }, { authorization: 'Bearer nobody', ...headers }),
    isStranger: (send: () => Promise<Answer | string>) =>
      refused(t, send, 401, 'session-invalid', { reason: 'malformed' }),
    /** Makes a request that is beyond the limit. */
    isBeyond,
  };
}
