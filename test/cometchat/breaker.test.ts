import t, { type Test } from 'tap';
import { Breaker } from '../../src/cometchat/breaker.ts';
import type { Call } from '../../src/cometchat/call.ts';
import { failedExchange, failedReply } from '../../src/cometchat/errors.ts';
import { type Failure, type Outcome, TURN_LOST } from '../../src/cometchat/outcome.ts';
import { services } from '../helper.ts';

const OK: Outcome<undefined> = { ok: true, status: 200, value: undefined };
const FAILED = failedExchange('ECONNREFUSED');
const CUT_OFF = failedExchange('client_gone');

function breakerOf() {
  const breaker = new Breaker(1500, services());
  /** @returns how many of so many calls were sent */
  const send = async (times: number, outcome: Outcome<undefined>, refusal?: Failure) => {
    let sent = 0;
    const step = breaker.around((async () => {
      sent += 1;
      return outcome;
    }) as never);
    for (let n = 0; n < times; n += 1) await step({ mayStart: () => refusal } as Call<unknown>);
    return sent;
  };
  return { breaker, send };
}

t.test('it opens when more than half of the last hundred have failed, and of twenty at least', async (t) => {
  const few = breakerOf();
  t.equal(await few.send(100, FAILED), 20);
  const many = breakerOf();
  t.equal(await many.send(300, OK), 300);
  t.equal(await many.send(100, FAILED), 51);
});

t.test('what CometChat decides, and what nobody waits for, does not open it', async (t) => {
  for (const failure of [
    failedReply(429, undefined),
    failedReply(401, undefined),
    failedReply(500, 'ERR_EXCEPTION'),
    failedReply(404, 'ERR_UID_NOT_FOUND'),
    failedExchange('reply_invalid'),
    CUT_OFF,
  ]) {
    t.equal(await breakerOf().send(100, failure), 100, failure.errorType);
  }
  t.equal(await breakerOf().send(100, failedExchange('timeout_response')), 20);
});

/** Opens the circuit and lets its time pass, so that the next call is the probe. */
async function halfOpen(t: Test) {
  const opened = breakerOf();
  await opened.send(100, FAILED);
  const { now } = Date;
  t.intercept(Date, 'now', { value: () => now() + 5000 });
  return opened;
}

t.test('a probe whose client has left leaves it open', async (t) => {
  const { breaker, send } = await halfOpen(t);
  t.equal(await send(5, CUT_OFF), 1);
  t.equal(breaker.refusal()?.retryAfterSeconds, 5);
});

t.test('a call that may not start is no probe', async (t) => {
  const { breaker, send } = await halfOpen(t);
  t.equal(await send(1, OK, TURN_LOST), 0);
  t.equal(await send(1, OK), 1, 'the next one is');
  t.equal(breaker.refusal(), undefined, 'and closes it');
});
