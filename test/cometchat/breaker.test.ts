import t from 'tap';
import { Breaker } from '../../src/cometchat/breaker.ts';
import { ABANDONED, ended, type Outcome } from '../../src/cometchat/call.ts';

const OK: Outcome = { ok: true, status: 200, conversations: [] };
const FAILED = ended('cometchat-failed');

function breakerOf() {
  const breaker = new Breaker(1500, () => {});
  /** @returns how many of so many tries could be made */
  const make = async (times: number, outcome: Outcome) => {
    let made = 0;
    while (made < times && !breaker.refusal()) {
      await breaker.run(async () => outcome);
      made += 1;
    }
    return made;
  };
  return { breaker, make };
}

t.test('it opens when more than half of the last hundred have failed, and of twenty at least', async (t) => {
  const few = breakerOf();
  t.equal(await few.make(100, FAILED), 20);
  const many = breakerOf();
  t.equal(await many.make(300, OK), 300);
  t.equal(await many.make(100, FAILED), 51);
});

t.test('what CometChat decides, and what nobody waits for, does not open it', async (t) => {
  for (const problem of [
    'cometchat-busy',
    'gateway-misconfigured',
    'cometchat-reply-invalid',
    'user-not-found',
  ] as const) {
    t.equal(await breakerOf().make(100, ended(problem)), 100, problem);
  }
  t.equal(await breakerOf().make(100, ABANDONED), 100);
  t.equal(await breakerOf().make(100, ended('cometchat-timeout')), 20);
});

t.test('a probe whose client has left leaves it open', async (t) => {
  const { breaker, make } = breakerOf();
  await make(100, FAILED);
  const { now } = Date;
  t.intercept(Date, 'now', { value: () => now() + 5000 });
  t.equal(await make(5, ABANDONED), 1);
  t.equal(breaker.refusal()?.retryAfterSeconds, 5);
});
