import { Breaker } from '../../src/cometchat/breaker.ts';
import type { Call } from '../../src/cometchat/call.ts';
import { failedExchange } from '../../src/cometchat/errors.ts';
import type { Failure, Outcome } from '../../src/cometchat/outcome.ts';
import { services } from '../helpers/room.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

export const OK: Outcome<undefined> = { ok: true, status: 200, value: undefined };
export const FAILED = failedExchange('ECONNREFUSED');

export const peer = (id: string) => `/users/${id}/conversation`;
export const group = (id: string) => `/groups/${id}/conversation`;

/** A breaker on a clock that stands still until time passes, and the calls that come to it. */
export function breakerOf() {
  const clock = new VirtualClock();
  const around = services(undefined, { clock });
  const breaker = new Breaker(around);
  const sent: { user: string; partner: string | undefined; at: number }[] = [];
  /** Makes a call of this user that has this outcome; a list has no partner. */
  const call = (
    user: string,
    partner: string | undefined,
    outcome: Outcome<undefined> | Promise<Outcome<undefined>>,
    refusal?: Failure,
  ): Promise<Outcome<unknown>> => {
    const step = breaker.around((async () => {
      sent.push({ user, partner, at: clock.now() });
      return outcome;
    }) as never);
    return step({ onBehalfOf: user, operation: { partner }, mayStart: () => refusal } as Call<unknown>);
  };
  /** @returns whether a call of this user would be sent now */
  const isServed = (user: string, partner: string | undefined = peer(`friend-of-${user}`)) =>
    breaker.refusal({ user, partner }) === undefined;
  /** Lets calls of so many users fail, each in a conversation of its own, and again after half a second if few have. */
  const fail = async (users: number, failure: Failure = FAILED) => {
    for (let n = 0; n < users; n += 1) await call(`user-${n}`, peer(`friend-of-user-${n}`), failure);
    if (users >= 20) return;
    clock.pass(500);
    for (let n = 0; n < users; n += 1) await call(`user-${n}`, peer(`friend-of-user-${n}`), failure);
  };
  return { breaker, clock, call, isServed, fail, sent, metrics: around.metrics };
}
