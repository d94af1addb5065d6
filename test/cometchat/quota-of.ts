import type { Redis } from 'ioredis';
import type { Call, Turn } from '../../src/cometchat/call.ts';
import { failedReply } from '../../src/cometchat/errors.ts';
import type { Outcome, QuotaReport } from '../../src/cometchat/outcome.ts';
import { Quota } from '../../src/cometchat/quota.ts';
import { countsOf } from '../helpers/metrics.ts';
import { cometChatIdOf, services } from '../helpers/room.ts';

/** The beginning of a minute. */
export const MINUTE = 60_000 * 30_000_000;

export const OK = { ok: true, status: 200, value: undefined } as const;

/** A quota of so many calls, at the beginning of a minute. */
export function quotaOf(limit: number, redis?: Redis, clock = { now: MINUTE }) {
  const around = services(redis, { now: () => clock.now });
  const quota = new Quota(limit, around);
  /** Asks for a call that CometChat answers in this way, and whose turn is acquired so. @returns what became of it */
  const call = (
    user: string,
    reply: () => Promise<Outcome<unknown>> = async () => OK,
    acquire: Turn['acquire'] = () => undefined,
  ) =>
    quota.around((() => reply()) as never)({
      onBehalfOf: cometChatIdOf(user),
      turn: { acquire } as Turn,
    } as Call<unknown>);
  /** The same. @returns the seconds to wait, 0 where the call was made */
  const ask = async (user: string) => {
    const outcome = await call(user);
    return outcome.ok ? 0 : outcome.retryAfterSeconds;
  };
  /** Lets CometChat say something of the quota, in the reply to a call that it does not count itself. */
  const learn = async (report: QuotaReport) => {
    await call('learner', async () => ({ ...OK, quota: report }));
  };
  /** Lets CometChat refuse a call for so many seconds. */
  const exhaust = async (seconds: number) => {
    await call('exhausted', async () => ({ ...failedReply(429, undefined), retryAfterSeconds: seconds }));
  };
  const sharesRefused = async () => (await countsOf(around.metrics)).quota_share_refusals;
  return { clock, quota, call, ask, learn, exhaust, sharesRefused };
}
