import t from 'tap';
import { Waiters } from '../../src/cometchat/call.ts';
import { failedExchange, failedReply } from '../../src/cometchat/errors.ts';
import { type Outcome, rejected, SUPERSEDED, TURN_LOST } from '../../src/cometchat/outcome.ts';
import { RetryBudget, retryDelay, withRetries } from '../../src/cometchat/retries.ts';
import { countsOf } from '../helpers/metrics.ts';
import { services } from '../helpers/room.ts';

const REFUSED = failedExchange('ECONNREFUSED');
const OK: Outcome<never[]> = { ok: true, status: 200, value: [] };

t.test('the wait grows, and the whole of it is left to chance', async (t) => {
  t.equal(retryDelay(1, REFUSED, 3000, 0), 0);
  t.equal(retryDelay(1, REFUSED, 3000, 0.5), 100);
  t.equal(retryDelay(1, REFUSED, 3000, 1), 200);
  t.equal(retryDelay(2, REFUSED, 3000, 0.5), 300);
});

t.test('there are three attempts at most, and one of a failure that stays', async (t) => {
  t.equal(retryDelay(3, REFUSED, 3000, 0), undefined);
  t.equal(retryDelay(1, failedReply(500, undefined), 3000, 0), undefined);
});

t.test(
  'Retry-After is obeyed where it fits into the time left, else there is no other attempt',
  async (t) => {
    const busy = { ...failedReply(429, undefined), retryAfterSeconds: 2 };
    t.equal(retryDelay(1, busy, 3000, 0), 2000);
    t.equal(retryDelay(1, busy, 3000, 0.5), 2100, 'calls that failed together do not come back together');
    t.equal(retryDelay(1, busy, 2050, 0), 2000);
    t.equal(retryDelay(1, busy, 2049, 0), undefined);
  },
);

t.test('no attempt is begun that has no time to end', async (t) => {
  t.equal(retryDelay(1, REFUSED, 50, 0), 0);
  t.equal(retryDelay(1, REFUSED, 49, 0), undefined);
  t.equal(retryDelay(1, REFUSED, 100, 1), undefined);
});

t.test('retries are a tenth of the calls, and ten beside', async (t) => {
  const budget = new RetryBudget();
  const spend = (now: number) => {
    let granted = 0;
    while (budget.spend(now)) granted += 1;
    return granted;
  };
  t.equal(spend(0), 10, 'an app that is hardly used has some');
  for (let n = 0; n < 100; n += 1) budget.countCall(1000);
  t.equal(spend(1000), 10);
  t.equal(spend(9999), 0);
  t.equal(spend(10_000), 0, 'the ten seconds before count, calls and retries');
  for (let n = 0; n < 50; n += 1) budget.countCall(10_000);
  t.equal(spend(10_000), 5);
  t.equal(spend(20_000), 10, 'and no others: fifty calls and five retries');
  t.equal(spend(90_000), 10);
});

/** A job whose attempts end in these ways one after the other, and a client that waits for it. */
function scripted(outcomes: Outcome<never[]>[]) {
  const around = services(undefined, { random: () => 0 });
  let made = 0;
  const retry = withRetries(around);
  const waiters = new Waiters(around.seams.clock);
  const attempt = async () => {
    made += 1;
    return outcomes.shift() ?? OK;
  };
  const run = () =>
    waiters.join(() => retry({ waiters, attempt }), {
      gone: new AbortController().signal,
      deadline: performance.now() + 1000,
    });
  return { ...around, waiters, run, made: () => made };
}

t.test('an attempt that failed for now is made again, and the client told why', async (t) => {
  const { run, made, waiters } = scripted([REFUSED, REFUSED, OK]);
  t.match(await run(), { ok: true });
  t.equal(made(), 3);
  t.strictSame(waiters.retried, ['ECONNREFUSED', 'ECONNREFUSED']);
});

t.test('a turn that was lost before the attempt was sent costs no attempt', async (t) => {
  const { run, made, metrics } = scripted([TURN_LOST, REFUSED, TURN_LOST, REFUSED, OK]);
  t.match(await run(), { ok: true });
  t.equal(made(), 5);
  t.equal((await countsOf(metrics)).retries, 2);
});

t.test('an attempt that ended in the gateway has no other one', async (t) => {
  const { run, made, metrics } = scripted([SUPERSEDED]);
  t.equal(await run(), SUPERSEDED);
  t.equal(made(), 1);
  t.equal((await countsOf(metrics)).retries, 0);
});

t.test('after a failed attempt no answer says that nothing was changed', async (t) => {
  const busyFor = (retryAfterSeconds: number) => ({ ...failedReply(429, undefined), retryAfterSeconds });
  for (const refused of [rejected('cometchat-busy'), rejected('cometchat-unavailable'), busyFor(3600)]) {
    t.equal(await scripted([REFUSED, refused]).run(), REFUSED, refused.problem);
    t.equal(await scripted([REFUSED, busyFor(0), refused]).run(), REFUSED, 'nor does a later one');
    t.equal(await scripted([refused]).run(), refused, 'while a first attempt does');
  }
  t.equal(await scripted([REFUSED, busyFor(0), busyFor(0)]).run(), REFUSED, 'nor does the last one');
  t.equal(await scripted([REFUSED, SUPERSEDED]).run(), SUPERSEDED);
});

t.test('a call that was ended during an attempt has no other one', async (t) => {
  const { run, waiters, made } = scripted([REFUSED]);
  const outcome = run();
  waiters.end(SUPERSEDED);
  t.equal(await outcome, SUPERSEDED);
  t.equal(made(), 1);
});
