import t from 'tap';
import type { Outcome } from '../../src/cometchat/outcome.ts';
import { breakerOf, FAILED, OK, peer } from './breaker-of.ts';

/** Every `everyMs` one of so many users calls, in turn, until the circuit opens. */
const OUTAGES = [
  { failsAfterMs: 1, users: 5, everyMs: 200, opensAt: 801 },
  { failsAfterMs: 50, users: 5, everyMs: 200, opensAt: 850 },
  { failsAfterMs: 300, users: 5, everyMs: 200, opensAt: 1100 },
  { failsAfterMs: 1500, users: 5, everyMs: 200, opensAt: 2300 },
  { failsAfterMs: 10_000, users: 5, everyMs: 200, opensAt: 10_800 },
  { failsAfterMs: 60_000, users: 5, everyMs: 200, opensAt: 60_800 },
  { failsAfterMs: 1, users: 5, everyMs: 400, opensAt: 1601 },
  { failsAfterMs: 300, users: 9, everyMs: 400, opensAt: 1900 },
  { failsAfterMs: 1500, users: 9, everyMs: 400, opensAt: 3100 },
  { failsAfterMs: 60_000, users: 9, everyMs: 400, opensAt: 61_600 },
  { failsAfterMs: 1, users: 99, everyMs: 5, opensAt: 96 },
  { failsAfterMs: 300, users: 99, everyMs: 5, opensAt: 395 },
  { failsAfterMs: 1500, users: 99, everyMs: 5, opensAt: 1595 },
  { failsAfterMs: 60_000, users: 99, everyMs: 5, opensAt: 60_095 },
];

for (const { failsAfterMs, users, everyMs, opensAt } of OUTAGES) {
  const calls = `a call every ${everyMs} ms that fails after ${failsAfterMs} ms`;
  t.test(`${calls}, by ${users} users in turn, opens it after ${opensAt} ms`, async (t) => {
    const { breaker, clock, call } = breakerOf();
    for (let n = 0; n * everyMs <= opensAt; n += 1) {
      const user = `user-${n % users}`;
      const begin = () =>
        call(
          user,
          peer(`friend-of-${user}`),
          clock.wait(failsAfterMs).then(() => FAILED),
        );
      clock.after(n * everyMs, begin);
    }
    await clock.run(clock.wait(opensAt - 1));
    t.equal(breaker.isOpen, false);
    await clock.run(clock.wait(2));
    t.equal(breaker.isOpen, true);
  });
}

/** Five users have failed within ten seconds, one by one. Then nine call at once, and one at fault fails before they are answered. */
async function crowdAfterSilence() {
  const { breaker, clock, call } = breakerOf();
  for (let n = 0; n < 5; n += 1) {
    await call(`earlier-${n}`, peer(`friend-${n}`), FAILED);
    clock.pass(1900);
  }
  const reply = Promise.withResolvers<Outcome<undefined>>();
  const crowd = Array.from({ length: 9 }, (_, n) => call(`user-${n}`, peer(`friend-${n}`), reply.promise));
  clock.pass(1);
  const failOne = () => call('odd', peer('friend'), FAILED);
  await failOne();
  return { breaker, clock, call, crowd, reply, failOne };
}

t.test('a crowd that has just called does not open it', async (t) => {
  const { breaker, clock, crowd, reply, failOne } = await crowdAfterSilence();
  clock.pass(248);
  await failOne();
  t.equal(breaker.isOpen, false);
  reply.resolve(OK);
  await Promise.all(crowd);
  await clock.run(clock.wait(500));
  t.equal(breaker.isOpen, false, 'they were answered');
});

t.test('it opens when the crowd has no answer after a quarter of a second', async (t) => {
  const { breaker, clock, failOne } = await crowdAfterSilence();
  clock.pass(249);
  await failOne();
  t.equal(breaker.isOpen, true);
});

t.test('that needs no other failure', async (t) => {
  const { breaker, clock } = await crowdAfterSilence();
  await clock.run(clock.wait(249));
  t.equal(breaker.isOpen, false);
  await clock.run(clock.wait(1));
  t.equal(breaker.isOpen, true);
});

t.test('a crowd that calls after another was answered has as long', async (t) => {
  const { breaker, clock, call, crowd, reply } = await crowdAfterSilence();
  reply.resolve(OK);
  await Promise.all(crowd);
  clock.pass(200);
  const hung = Promise.withResolvers<Outcome<undefined>>();
  for (let n = 0; n < 9; n += 1) call(`user-${n}`, peer(`friend-${n}`), hung.promise);
  await clock.run(clock.wait(100));
  t.equal(breaker.isOpen, false);
});
