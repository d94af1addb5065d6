import t, { type Test } from 'tap';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import { Breaker } from '../../src/cometchat/breaker.ts';
import type { Call } from '../../src/cometchat/call.ts';
import { failedExchange, failedReply } from '../../src/cometchat/errors.ts';
import { type Failure, type Outcome, TURN_LOST } from '../../src/cometchat/outcome.ts';
import { startGateway } from '../helpers/gateway.ts';
import { services } from '../helpers/room.ts';
import { OTHER } from '../helpers/tokens.ts';

const OK: Outcome<undefined> = { ok: true, status: 200, value: undefined };
const FAILED = failedExchange('ECONNREFUSED');
const CUT_OFF = failedExchange('client_gone');

function breakerOf() {
  const breaker = new Breaker(1500, services());
  let sent = 0;
  /** Makes a call that has this outcome. */
  const call = (outcome: Outcome<undefined> | Promise<Outcome<undefined>>, refusal?: Failure) => {
    const step = breaker.around((async () => {
      sent += 1;
      return outcome;
    }) as never);
    return step({ mayStart: () => refusal } as Call<unknown>);
  };
  /** @returns how many of so many calls were sent */
  const send = async (times: number, outcome: Outcome<undefined>, refusal?: Failure) => {
    const before = sent;
    for (let n = 0; n < times; n += 1) await call(outcome, refusal);
    return sent - before;
  };
  return { breaker, call, send, sent: () => sent };
}

/** The clock of the whole process, which stands still until it is set: cockatiel knows no other. */
function stopClock(t: Test) {
  const clock = { now: Date.now() };
  t.intercept(Date, 'now', { value: () => clock.now });
  return clock;
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
    // It may be about one conversation.
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
  const clock = stopClock(t);
  const opened = breakerOf();
  await opened.send(100, FAILED);
  clock.now += 5000;
  return opened;
}

t.test('of many calls at once one is the probe, and the others end at once', async (t) => {
  const { call, sent } = await halfOpen(t);
  const before = sent();
  const reply = Promise.withResolvers<Outcome<undefined>>();
  const probe = call(reply.promise);
  const others = await Promise.all(Array.from({ length: 30 }, () => call(OK)));
  t.match(others, Array(30).fill({ problem: 'cometchat-unavailable', retryAfterSeconds: 2 }));
  t.equal(sent() - before, 1);
  reply.resolve(OK);
  t.equal(await probe, OK);
  t.equal(await call(OK), OK);
});

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

t.test('while CometChat fails calls end in the gateway, until a probe is answered', async (t) => {
  const clock = stopClock(t);
  const { meets, refused, served, sandbox, setTags, putAs, underWay, lines } = await startGateway(t);
  sandbox.fault({ status: 503, times: 100 });
  for (let n = 0; n < 10; n += 1) await setTags();
  t.match(lines.join(), /"msg":"CometChat fails: circuit open/);
  await refused(t, setTags, 503, 'cometchat-unavailable', { retryAfter: 5 });
  clock.now += 4000;
  await refused(t, setTags, 503, 'cometchat-unavailable', { retryAfter: 1 });

  clock.now += 1000;
  await meets(t, {
    answer: [502, 'cometchat-failed'],
    calls: 1,
    line: { error: { type: '503' } },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1, retries_withheld: 1 },
  });
  await refused(t, setTags, 503, 'cometchat-unavailable', { retryAfter: 5 });

  sandbox.forget();
  clock.now += 5000;
  const release = sandbox.hold();
  const { answer: probe } = await underWay(setTags);
  await refused(t, () => putAs('cometchat-uid-1'), 503, 'cometchat-unavailable', { retryAfter: 2 });
  release();
  t.equal((await probe).status, 200);
  await served(t);
  t.match(lines.join(), /"msg":"CometChat answers again: circuit closed"/);
});

t.test('a clock that is set back does not keep it open', async (t) => {
  const clock = stopClock(t);
  const { meets, refused, sandbox, setTags, lines } = await startGateway(t);
  sandbox.fault({ status: 500, times: 20 });
  for (let n = 0; n < 20; n += 1) await setTags();
  await refused(t, setTags, 503, 'cometchat-unavailable', { retryAfter: 5 });
  clock.now -= 50_000;
  await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1, circuit_open: -1 } });
  t.match(lines.join(), /"msg":"CometChat answers again: circuit closed"/);
});

t.test(
  'when it opens, a write that waits for its next attempt makes none, and no newer one supersedes it',
  async (t) => {
    stopClock(t);
    const over = Promise.withResolvers<void>();
    const clock = { ...MACHINE_CLOCK, wait: () => over.promise };
    const { counted, meets, put, putAs, refused, sandbox, setTags } = await startGateway(
      t,
      {},
      { seams: { clock } },
    );
    sandbox.fault({ status: 503 }, { status: 500, times: 19 });
    const older = setTags();
    await counted('attempts cometchat-failed');
    for (let n = 0; n < 19; n += 1) await putAs('cometchat-uid-1');
    const newer = () => put({ tags: ['newer'], conversationWith: OTHER });
    await refused(t, newer, 503, 'cometchat-unavailable', { retryAfter: 5 });
    over.resolve();
    await meets(
      t,
      {
        answer: [502, 'cometchat-failed'],
        calls: 0,
        // It does not say that nothing was changed, nor that the newer one has superseded it.
        line: { error: { type: '503' } },
        moved: { 'problems cometchat-failed': 1 },
      },
      () => older,
    );
  },
);
