import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { LinkState } from '../../sandbox/link.ts';
import { startGateway } from '../helpers/gateway.ts';
import { until } from '../helpers/until.ts';
import { breakerOf, FAILED, group, OK, peer } from './breaker-of.ts';

/** When CometChat is back, all are served within this. */
const BACK_MS = 2000;
const ANSWERED_AFTER_MS = 20;

/** A user, or a group of many members, whose calls always fail, one after the other. */
const AtFault = fc.record({
  isGroup: fc.boolean(),
  everyMs: fc.integer({ min: 10, max: 1000 }),
  failsAfterMs: fc.constantFrom(1, 300, 1500),
});

const Scenario = fc.record({
  outageMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10_000 })),
  /** Refused, slow to fail, or hung. */
  failsAfterMs: fc.constantFrom(1, 300, 1500),
  users: fc.integer({ min: 1, max: 30 }),
  /** One other user whom all are in a conversation with, or one for each. */
  hasAgent: fc.boolean(),
  calls: fc.array(fc.record({ user: fc.nat(), at: fc.integer({ min: 0, max: 14_000 }) }), { maxLength: 150 }),
  atFault: fc.array(AtFault, { maxLength: 3 }),
});

t.test('two seconds after an outage everybody is served, and without one always', async (t) => {
  let opened = 0;
  const property = fc.asyncProperty(
    Scenario,
    async ({ outageMs, failsAfterMs, users, hasAgent, calls, atFault }) => {
      const { breaker, clock, call } = breakerOf();
      const done: Promise<unknown>[] = [];
      const at = (ms: number, make: () => Promise<void>) => {
        done.push(clock.wait(ms).then(make));
      };
      const fails = (ms: number) => clock.wait(ms).then(() => FAILED);
      const end = outageMs + 4000;

      atFault.forEach(({ isGroup, everyMs, failsAfterMs: ms }, number) => {
        for (let time = 0; time <= end; time += everyMs) {
          at(time, async () => {
            const [user, path] = isGroup
              ? [`member-${time % 50}`, group(`huge-${number}`)]
              : [`odd-${number}`, peer(`${time}`)];
            await call(user, path, fails(ms));
          });
        }
      });
      // At one moment all call at once, whatever was before.
      const crowd = Array.from({ length: users }, (_, user) => ({ user, at: outageMs + BACK_MS }));
      for (const { user, at: time } of [...calls, ...crowd]) {
        at(time, async () => {
          const name = `user-${user % users}`;
          const isDown = time < outageMs;
          const answered = clock.wait(ANSWERED_AFTER_MS).then(() => OK);
          const outcome = await call(
            name,
            peer(hasAgent ? 'agent' : `friend-of-${name}`),
            isDown ? fails(failsAfterMs) : answered,
          );
          if (breaker.isOpen) opened += 1;
          if (outageMs > 0 && time < outageMs + BACK_MS) return;
          assert.equal(outcome, OK, `at ${time} of an outage of ${outageMs}`);
        });
      }
      await clock.run(Promise.all(done));
    },
  );
  // To find a smaller counterexample would take minutes.
  await fc.assert(property, { numRuns: 200, endOnFailure: true });
  t.ok(opened > 0, 'the circuit was open at times');
});

for (const state of ['refused', 'hung'] satisfies LinkState[]) {
  t.test(`when a link that was ${state} is up again, all are served within two seconds`, async (t) => {
    const env = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '300', COMETCHAT_DEADLINE_MS: '300' };
    const { counts, putAs, sandbox } = await startGateway(t, env);
    const users = [1, 2, 3, 4, 5].map((n) => `cometchat-uid-${n}`);
    const codes = () => Promise.all(users.map(async (user) => (await putAs(user)).json.code ?? 'ok'));
    await sandbox.link(state);
    await until('an open circuit', async () => (await codes()).includes('cometchat-unavailable'));
    await sandbox.link('up');
    const back = performance.now();
    await until('all served', async () => (await codes()).every((code) => code === 'ok'));
    const ms = performance.now() - back;
    t.ok(ms < BACK_MS, `it took ${ms} ms`);
    t.match(await counts(), { circuit_opened: 1, circuit_open: 0 });
  });
}
