import t, { type Test } from 'tap';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import { probeDelay } from '../../src/cometchat/breaker.ts';
import { failedExchange, failedReply } from '../../src/cometchat/errors.ts';
import { type Outcome, TURN_LOST } from '../../src/cometchat/outcome.ts';
import { startGateway } from '../helpers/gateway.ts';
import { countsOf } from '../helpers/metrics.ts';
import { ME, OTHER } from '../helpers/tokens.ts';
import { breakerOf, FAILED, group, OK, peer } from './breaker-of.ts';

const CUT_OFF = failedExchange('client_gone');

t.test('it opens when five users have failed for half a second, and four do not open it', async (t) => {
  const { breaker, call, fail } = breakerOf();
  for (const _ of [1, 2, 3]) await fail(4);
  t.equal(breaker.isOpen, false);
  await call('user-5', peer('friend'), FAILED);
  t.equal(breaker.isOpen, true);
});

t.test('it opens at once when twenty attempts have failed, of five users at least', async (t) => {
  const { breaker, call } = breakerOf();
  for (let n = 0; n < 19; n += 1) await call(`user-${n % 5}`, peer(`friend-${n}`), FAILED);
  t.equal(breaker.isOpen, false, 'a connection that breaks under some calls is a matter for retries');
  await call('user-1', peer('friend'), FAILED);
  t.equal(breaker.isOpen, true);
  const few = breakerOf();
  for (let n = 0; n < 100; n += 1) await few.call(`user-${n % 4}`, peer(`friend-${n}`), FAILED);
  t.equal(few.breaker.isOpen, false);
});

t.test('however many calls of one user fail, it stays closed', async (t) => {
  const { breaker, call, clock } = breakerOf();
  for (let n = 0; n < 500; n += 1) {
    await call('one', n % 2 ? group(`huge-${n}`) : peer(`odd-${n}`), FAILED);
    clock.pass(100);
  }
  t.equal(breaker.isOpen, false);
});

t.test('however many members of one group fail, it stays closed', async (t) => {
  const { breaker, call, clock } = breakerOf();
  for (let n = 0; n < 500; n += 1) {
    await call(`member-${n % 100}`, group('huge'), FAILED);
    // One of them fails everywhere, which makes two that are at fault.
    await call('one', peer(`odd-${n}`), FAILED);
    clock.pass(100);
  }
  t.equal(breaker.isOpen, false);
});

/** Lets these fail, and others be answered now and then, for ten minutes. @returns whether it was ever open */
async function opensBy(fail: (call: ReturnType<typeof breakerOf>['call'], n: number) => Promise<unknown>) {
  const { breaker, call, clock } = breakerOf();
  for (let n = 0; n < 6000; n += 1) {
    if (n % 2900 === 0) await call('other', peer('friend'), OK);
    await fail(call, n);
    clock.pass(100);
    if (breaker.isOpen) return true;
  }
  return false;
}

t.test('however many conversations with two users fail, it stays closed', async (t) => {
  const isOpened = await opensBy(async (call, n) => {
    await call(`user-${n % 100}`, peer('one'), FAILED);
    await call(`member-${n % 100}`, peer('two'), FAILED);
  });
  t.equal(isOpened, false);
});

t.test('whatever a user writes, and whoever writes to that user, it stays closed', async (t) => {
  const isOpened = await opensBy(async (call, n) => {
    await call(`user-${n % 100}`, peer('one'), FAILED);
    await call('one', peer(`friend-${n}`), FAILED);
    await call('two', peer(`friend-${n}`), FAILED);
  });
  t.equal(isOpened, false);
});

t.test('an outage that all meet in their conversations with one agent opens it', async (t) => {
  const { breaker, call, clock } = breakerOf();
  for (let n = 0; n < 10; n += 1) {
    await call(`user-${n}`, peer('agent'), FAILED);
    clock.pass(100);
  }
  t.equal(breaker.isOpen, true);
});

t.test('an outage that all meet when they list their conversations opens it', async (t) => {
  const { breaker, call, clock } = breakerOf();
  for (let n = 0; n < 10; n += 1) {
    await call(`user-${n}`, undefined, FAILED);
    clock.pass(100);
  }
  t.equal(breaker.isOpen, true);
});

t.test('a list that is answered does not show that there are other conversation partners', async (t) => {
  const { breaker, call, clock } = breakerOf();
  await call('agent-1', peer('agent'), OK);
  await call('user', undefined, OK);
  await call('agent-1', peer('agent'), OK);
  for (let n = 0; n < 10; n += 1) {
    await call(`user-${n}`, peer('agent'), FAILED);
    clock.pass(100);
  }
  t.equal(breaker.isOpen, true);
});

t.test('while anybody is answered it stays closed', async (t) => {
  const { breaker, call, clock } = breakerOf();
  for (let n = 0; n < 500; n += 1) {
    await call(`user-${n}`, peer(`friend-${n}`), n % 20 ? FAILED : OK);
    clock.pass(9);
  }
  t.equal(breaker.isOpen, false);
});

t.test('a failure counts only if its attempt began after the last answer', async (t) => {
  const { breaker, call, clock, fail } = breakerOf();
  const hung = Promise.withResolvers<Outcome<undefined>>();
  const attempts = Array.from({ length: 50 }, (_, n) => call(`old-${n}`, peer(`friend-${n}`), hung.promise));
  clock.pass(1);
  await call('a', peer('b'), OK);
  await fail(4);
  hung.resolve(FAILED);
  await Promise.all(attempts);
  t.equal(breaker.isOpen, false);
  await call('new', peer('friend'), FAILED);
  t.equal(breaker.isOpen, true);
});

t.test('failures of one night do not add up', async (t) => {
  const { breaker, call, clock } = breakerOf();
  for (let n = 0; n < 50; n += 1) {
    await call(`user-${n}`, peer(`friend-${n}`), FAILED);
    clock.pass(2500);
  }
  t.equal(breaker.isOpen, false, 'there were four in ten seconds');
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
    const { breaker, fail } = breakerOf();
    await fail(100, failure);
    t.equal(breaker.isOpen, false, failure.errorType);
  }
  for (const failure of [failedReply(500, undefined), failedExchange('timeout_response'), FAILED]) {
    const { breaker, fail } = breakerOf();
    await fail(100, failure);
    t.equal(breaker.isOpen, true, failure.errorType);
  }
});

t.test('probes are sent soon at first, then less often, and four a second at most', async (t) => {
  t.strictSame([0, 1, 2, 3, 4, 99].map(probeDelay), [50, 100, 200, 250, 250, 250]);
  const { call, clock, fail, sent } = breakerOf();
  await fail(100);
  const openedAt = clock.now();
  const before = sent.length;
  for (let n = 0; n < 6000; n += 1) {
    await call(`user-${n % 100}`, peer(`friend-${n % 100}`), FAILED);
    clock.pass(10);
  }
  const probes = sent.slice(before).map(({ at }) => at - openedAt);
  t.strictSame(probes.slice(0, 5), [50, 150, 350, 600, 850]);
  t.ok(probes.length <= 4 * 60 + 3, `${probes.length} in a minute`);
});

t.test('probes are of different users and groups, and not all of one conversation partner', async (t) => {
  const { breaker, call, clock, fail, sent } = breakerOf();
  await fail(100);
  const before = sent.length;
  for (let n = 0; n < 1000; n += 1) {
    await call('one', peer(`odd-${n}`), FAILED);
    await call(`member-${n}`, group('huge'), FAILED);
    await call(`user-${n}`, peer('agent'), FAILED);
    clock.pass(10);
  }
  const probes = sent.slice(before);
  for (const { at } of probes) {
    const together = probes.filter((other) => other.at >= at && other.at < at + 1750);
    t.ok(together.filter(({ user }) => user === 'one').length <= 1);
    t.ok(together.filter(({ partner }) => partner === group('huge')).length <= 1);
    t.ok(together.filter(({ partner }) => partner === peer('agent')).length <= 5);
  }
  t.equal(breaker.isOpen, true, 'and there is an outage');
});

t.test('of many calls at once one is the probe, and the others end at once', async (t) => {
  const { call, clock, fail, isServed, sent } = breakerOf();
  await fail(100);
  clock.pass(50);
  const before = sent.length;
  const reply = Promise.withResolvers<Outcome<undefined>>();
  const probe = call('first', peer('friend'), reply.promise);
  const others = Array.from({ length: 30 }, (_, n) => call(`user-${n}`, peer(`friend-${n}`), OK));
  for (const outcome of await Promise.all(others)) t.match(outcome, { problem: 'cometchat-unavailable' });
  t.equal(sent.length - before, 1);
  t.equal(isServed('user-1'), false);
  reply.resolve(OK);
  t.equal(await probe, OK);
  t.equal(isServed('user-1'), true, 'the first answer lets all through');
});

t.test('a call that was sent before it opened closes it by its answer', async (t) => {
  const { breaker, call, fail } = breakerOf();
  const slow = Promise.withResolvers<Outcome<undefined>>();
  const underWay = call('slow', peer('friend'), slow.promise);
  await fail(5);
  t.equal(breaker.isOpen, true);
  slow.resolve(OK);
  await underWay;
  t.equal(breaker.isOpen, false);
});

t.test('a probe whose client has left leaves it open', async (t) => {
  const { breaker, call, clock, fail } = breakerOf();
  await fail(5);
  clock.pass(50);
  t.equal(await call('a', peer('b'), CUT_OFF), CUT_OFF);
  t.equal(breaker.isOpen, true);
});

t.test('a call that may not start is no probe', async (t) => {
  const { breaker, call, clock, fail } = breakerOf();
  await fail(5);
  clock.pass(50);
  t.equal(await call('a', peer('b'), OK, TURN_LOST), TURN_LOST);
  t.equal(await call('a', peer('b'), OK), OK, 'the same one is, when it may');
  t.equal(breaker.isOpen, false, 'and closes it');
});

t.test('when nobody calls, or three at fault alone, nothing is known any more and it closes', async (t) => {
  const quiet = breakerOf();
  await quiet.fail(5);
  quiet.clock.pass(1249);
  t.equal(quiet.breaker.isOpen, true);
  quiet.clock.pass(1);
  for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) t.equal(quiet.isServed(user), true);

  const { call, clock, fail, isServed, metrics } = breakerOf();
  await fail(5);
  t.match(await countsOf(metrics), { circuit_open: 1, circuit_opened: 1 });
  for (let n = 0; n < 50; n += 1) {
    await call('one', peer('odd'), FAILED);
    await call('two', peer('odd'), FAILED);
    await call(`member-${n}`, group('huge'), FAILED);
    clock.pass(100);
  }
  for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) t.equal(isServed(user), true);
  t.match(await countsOf(metrics), { circuit_open: 0, circuit_opened: 1 });
});

t.test('probes that time out when it has closed do not open it', async (t) => {
  const { breaker, call, clock, fail } = breakerOf();
  await fail(5);
  const hung = Promise.withResolvers<Outcome<undefined>>();
  const probes = [];
  for (let n = 0; n < 6; n += 1) {
    clock.pass(250);
    probes.push(call(`probe-${n}`, peer(`friend-${n}`), hung.promise));
  }
  await call('a', peer('b'), OK);
  clock.pass(1500);
  t.equal(breaker.isOpen, false);
  hung.resolve(FAILED);
  await Promise.all(probes);
  clock.pass(500);
  await call('c', peer('d'), FAILED);
  t.equal(breaker.isOpen, false);
});

const USERS = [1, 2, 3, 4, 5].map((n) => `cometchat-uid-${n}`);

/** A gateway whose time stands still until it passes, and all of whose users can call. */
async function startStill(t: Test, wait = MACHINE_CLOCK.wait) {
  const time = { now: 0 };
  const clock = { ...MACHINE_CLOCK, now: () => time.now, wait };
  const gateway = await startGateway(t, {}, { seams: { clock } });
  return { ...gateway, time };
}

t.test('while CometChat fails calls end in the gateway, until a probe is answered', async (t) => {
  const { meets, refused, served, sandbox, setTags, putAs, underWay, lines, time } = await startStill(t);
  sandbox.fault({ status: 500, times: 100 });
  for (const user of USERS) await putAs(user);
  time.now += 500;
  await putAs('cometchat-uid-1');
  t.match(lines.join(), /"msg":"CometChat fails: circuit open/);
  await refused(t, setTags, 503, 'cometchat-unavailable', { retryAfter: 2 });

  time.now += 50;
  await meets(
    t,
    {
      answer: [502, 'cometchat-failed'],
      calls: 1,
      line: { error: { type: '500' } },
      moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
    },
    () => putAs('cometchat-uid-1'),
  );
  time.now += 100;
  await refused(t, () => putAs('cometchat-uid-1'), 503, 'cometchat-unavailable', { retryAfter: 2 });

  sandbox.forget();
  const release = sandbox.hold();
  const { answer: probe } = await underWay(() => putAs('cometchat-uid-2'));
  await refused(t, () => putAs('cometchat-uid-5'), 503, 'cometchat-unavailable', { retryAfter: 2 });
  release();
  t.equal((await probe).status, 200);
  await served(t);
  t.match(lines.join(), /"msg":"CometChat answers again: circuit closed"/);
});

t.test('one user whose calls all fail is told so, and the others are served', async (t) => {
  const { put, putAs, sandbox, counts, time } = await startStill(t);
  for (let n = 0; n < 30; n += 1) {
    sandbox.fault({ status: 500 });
    const failed = await put({
      tags: [`${n}`],
      conversationWith: 'cometchat-guid-1',
      conversationType: 'group',
    });
    t.equal(failed.json.code, 'cometchat-failed');
    time.now += 100;
  }
  for (const user of USERS.slice(0, 2)) t.equal((await putAs(user)).status, 200);
  t.match(await counts(), { circuit_opened: 0 });
});

t.test(
  'when it opens, a write that waits for its next attempt makes none, and no newer one supersedes it',
  async (t) => {
    const over = Promise.withResolvers<void>();
    const { counted, meets, put, putAs, refused, sandbox, setTags, time } = await startStill(
      t,
      () => over.promise,
    );
    sandbox.fault({ status: 503 }, { status: 500, times: 19 });
    const older = setTags();
    await counted('attempts cometchat-failed');
    for (const user of USERS.filter((one) => one !== ME)) await putAs(user);
    time.now += 500;
    await putAs('cometchat-uid-1');
    const newer = () => put({ tags: ['newer'], conversationWith: OTHER });
    await refused(t, newer, 503, 'cometchat-unavailable', { retryAfter: 2 });
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
