import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';
import { upstream } from './upstream.ts';

const ENV = { COMETCHAT_DEADLINE_MS: '1000', COMETCHAT_ATTEMPT_TIMEOUT_MS: '600' };

/** How long something takes, in milliseconds. */
async function duration(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

t.test('26: the deadline holds over all attempts', async (t) => {
  const { meets, sandbox } = await upstream(t, ENV);
  sandbox.play('09-silence', 9);
  const ms = await duration(() =>
    meets(t, {
      answer: [504, 'cometchat-timeout'],
      calls: 2,
      line: { level: 'warn', error: { type: /^timeout_/ }, retried: [/^timeout_/] },
      moved: { 'problems cometchat-timeout': 1, 'attempts cometchat-timeout': 2, retries: 1 },
    }),
  );
  // A third attempt would have ended later; what is more than a second is the machine’s.
  t.ok(ms > 900 && ms < 3000, `${ms} ms`);
});

t.test('26: it holds where it is shorter than an attempt', async (t) => {
  const { meets, sandbox } = await upstream(t, { ...ENV, COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000' });
  sandbox.play('09-silence');
  const ms = await duration(() =>
    meets(t, {
      answer: [504, 'cometchat-timeout'],
      calls: 1,
      line: { error: { type: /^timeout_/ } },
      moved: { 'problems cometchat-timeout': 1, 'attempts cometchat-timeout': 1 },
    }),
  );
  t.ok(ms > 900 && ms < 3000, `${ms} ms`);
});

t.test('26: no further attempt begins when there is no time for it', async (t) => {
  const { meets, sandbox } = await upstream(t, { ...ENV, COMETCHAT_ATTEMPT_TIMEOUT_MS: '990' });
  sandbox.play('09-silence', 9);
  await meets(t, {
    answer: [504, 'cometchat-timeout'],
    calls: 1,
    line: { retried: undefined },
    moved: { 'problems cometchat-timeout': 1, 'attempts cometchat-timeout': 1 },
  });
});

t.test('26: each client has a deadline of its own, also where the same write serves several', async (t) => {
  const { setTags, sandbox, requests } = await upstream(t, { ...ENV, COMETCHAT_ATTEMPT_TIMEOUT_MS: '1200' });
  sandbox.play('09-silence');
  sandbox.fault({ delayMs: 200 });
  const arrived = sandbox.nextCall();
  const first = setTags();
  await arrived;
  await wait(400);
  const second = setTags();
  t.equal((await first).json.code, 'cometchat-timeout');
  t.equal((await second).status, 200, 'there was time for another attempt');
  t.match(requests(), [
    { status: 504, error: { type: 'deadline' } },
    { status: 200, merged: true },
  ]);
});

t.test(
  '26: it counts from when the request came, also where that is slow to be let in',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const env = { ...ENV, COMETCHAT_ATTEMPT_TIMEOUT_MS: '700', REDIS_URL: redis.url };
    const { sandbox, setTags } = await upstream(t, env);
    sandbox.play('09-silence', 9);
    redis.freeze();
    setTimeout(() => redis.thaw(), 400);
    const ms = await duration(setTags);
    t.ok(ms > 900 && ms < 1300, `${ms} ms`);
    t.equal(sandbox.received, 1);
  },
);
