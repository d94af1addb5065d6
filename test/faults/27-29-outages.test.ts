import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { OTHER, sign, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';
import { counts, failedAttempt, upstream } from './upstream.ts';

/** A clock that can be put forward, for the whole process. */
function clockOf(t: Test) {
  const clock = { ahead: 0 };
  const { now } = Date;
  t.intercept(Date, 'now', { value: () => now() + clock.ahead });
  return clock;
}

const unavailable = (retryAfter: number) => ({
  answer: [503, 'cometchat-unavailable'] as const,
  retryAfter,
  calls: 0,
  line: { level: 'warn', problem: 'cometchat-unavailable', error: { type: 'cometchat-unavailable' } },
  moved: { 'problems cometchat-unavailable': 1 },
});

t.test('27: the circuit opens, sends one probe, and closes', async (t) => {
  const clock = clockOf(t);
  const { meets, sandbox, setTags, putAs, lines } = await upstream(t);
  sandbox.fault({ status: 503, times: 100 });
  for (let n = 0; n < 10; n += 1) await setTags();
  t.match(lines.join(), /"msg":"CometChat fails: circuit open/);
  await meets(t, unavailable(5));
  clock.ahead += 4000;
  await meets(t, unavailable(1));

  clock.ahead += 1000;
  await meets(t, {
    answer: [502, 'cometchat-failed'],
    calls: 1,
    line: { error: { type: '503' } },
    moved: {
      'problems cometchat-failed': 1,
      'attempts cometchat-failed': 1,
      retries_withheld: 1,
    },
  });
  await meets(t, unavailable(5));

  sandbox.forget();
  clock.ahead += 5000;
  sandbox.fault({ delayMs: 100 });
  const arrived = sandbox.nextCall();
  const probe = setTags();
  await arrived;
  const others = await Promise.all([1, 2, 3].map((user) => putAs(`cometchat-uid-${user}`)));
  t.strictSame(
    others.map(({ json, headers }) => [json.code, headers.get('retry-after')]),
    Array(3).fill(['cometchat-unavailable', '2']),
  );
  t.equal((await probe).status, 200);
  t.equal(sandbox.received, 1, 'one probe');
  await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1 } });
  t.match(lines.join(), /"msg":"CometChat answers again: circuit closed"/);
});

t.test(
  '27: there is one probe also where many wait for Redis',
  unlessInstalled('redis-server'),
  async (t) => {
    const clock = clockOf(t);
    const redis = await RedisServer.start(t);
    const { sandbox, setTags, putAs } = await upstream(
      t,
      { REDIS_URL: redis.url },
      { sandbox: { users: 40 } },
    );
    sandbox.fault({ status: 503, times: 100 });
    for (let n = 0; n < 10; n += 1) await setTags();
    sandbox.forget();
    clock.ahead += 5000;
    sandbox.fault({ delayMs: 1000 });
    const users = Array.from({ length: 30 }, (_, n) => `cometchat-uid-${n + 10}`);
    const answers = await Promise.all(users.map(putAs));
    t.equal(sandbox.received, 1);
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
    t.equal(answers.filter(({ json }) => json.code === 'cometchat-unavailable').length, 29);
  },
);

t.test(
  '27: a probe that is not sent after all leaves the next call to be one',
  unlessInstalled('redis-server'),
  async (t) => {
    const clock = clockOf(t);
    const redis = await RedisServer.start(t);
    const { sandbox, setTags } = await upstream(t, { COMETCHAT_DEADLINE_MS: '500', REDIS_URL: redis.url });
    sandbox.fault({ status: 503, times: 100 });
    for (let n = 0; n < 20; n += 1) await setTags();
    t.equal((await setTags()).json.code, 'cometchat-unavailable');
    sandbox.forget();
    clock.ahead += 5000;
    redis.freeze();
    // What is left of its deadline then is too short for an attempt.
    setTimeout(() => redis.thaw(), 465);
    t.equal((await setTags()).json.code, 'cometchat-timeout');
    t.equal(sandbox.received, 0);
    t.equal((await setTags()).status, 200);
  },
);

t.test('27: a clock that is set back does not keep it open', async (t) => {
  const clock = clockOf(t);
  const { meets, sandbox, setTags, lines } = await upstream(t);
  sandbox.fault({ status: 503, times: 100 });
  for (let n = 0; n < 10; n += 1) await setTags();
  await meets(t, unavailable(5));
  sandbox.forget();
  clock.ahead -= 50_000;
  await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1, circuit_open: -1 } });
  t.match(lines.join(), /"msg":"CometChat answers again: circuit closed"/);
});

t.test(
  '27: a trouble that CometChat names may be about one conversation, and does not open it for all',
  async (t) => {
    const { meets, sandbox, setTags } = await upstream(t);
    const body = { error: { code: 'ERR_EXCEPTION' } };
    sandbox.fault({ status: 500, body, times: 60 });
    for (let n = 0; n < 25; n += 1) await setTags();
    sandbox.forget();
    await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1 } });
  },
);

t.test('27: what CometChat refuses does not open it', async (t) => {
  const { meets, sandbox, setTags } = await upstream(t);
  sandbox.fault({ status: 404, body: { error: { code: 'ERR_UID_NOT_FOUND' } }, times: 30 });
  for (let n = 0; n < 30; n += 1) await setTags();
  await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1 } });
});

t.test('28: the cap is full: a quick 503, and no queue', async (t) => {
  const { meets, sandbox, put, putAs } = await upstream(t, { COMETCHAT_MAX_CONCURRENCY: '2' });
  sandbox.fault({ delayMs: 300, times: 2 });
  const held: Promise<unknown>[] = [];
  for (const user of ['cometchat-uid-1', 'cometchat-uid-2']) {
    const arrived = sandbox.nextCall();
    held.push(putAs(user));
    await arrived;
  }
  await meets(t, {
    answer: [503, 'gateway-overloaded'],
    retryAfter: 1,
    calls: 0,
    line: { level: 'warn', error: { type: 'gateway-overloaded' } },
    moved: { 'problems gateway-overloaded': 1 },
  });
  await Promise.all(held);
  t.equal((await put({ tags: [], conversationWith: OTHER })).status, 200, 'there is room again');
});

t.test('28: a write whose client has left while it waited counts no more', async (t) => {
  const { app, get, put, putAs, sandbox } = await upstream(t, { COMETCHAT_MAX_CONCURRENCY: '2' });
  sandbox.fault({ delayMs: 1000 });
  const arrived = sandbox.nextCall();
  const first = put({ tags: ['first'], conversationWith: OTHER });
  await arrived;
  const gone = new AbortController();
  const waiting = get('/me/conversations/tags', {
    method: 'PUT',
    headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tags: ['second'], conversationWith: OTHER }),
    signal: gone.signal,
  });
  await wait(100);
  gone.abort();
  await t.rejects(waiting, { name: 'AbortError' });
  while ((await counts(app)).clients_gone === 0) await wait(1);
  t.equal((await putAs('cometchat-uid-1')).status, 200, 'there is room again');
  t.equal((await first).status, 200);
});

t.test('29: the retry budget is spent: no retry', async (t) => {
  const { meets, sandbox, setTags } = await upstream(t);
  sandbox.fault({ status: 503, times: 15 });
  for (let n = 0; n < 5; n += 1) await setTags();
  t.equal(sandbox.received, 15, 'five calls and ten retries');
  sandbox.fault({ status: 503, times: 1 });
  await meets(t, {
    answer: [502, 'cometchat-failed'],
    calls: 1,
    line: { error: { type: '503' }, retried: undefined },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1, retries_withheld: 1 },
  });
});

t.test('27: a write that waits for its next attempt when the circuit opens makes none', async (t) => {
  const { app, sandbox, setTags, putAs } = await upstream(t);
  sandbox.fault({ status: 503, headers: { 'retry-after': '1' } });
  const waits = setTags();
  await failedAttempt(app);
  sandbox.fault({ status: 500, times: 19 });
  for (let n = 0; n < 19; n += 1) await putAs('cometchat-uid-1');
  t.equal((await counts(app)).circuit_open, 1);
  t.equal((await waits).json.code, 'cometchat-failed');
  t.equal(sandbox.received, 20);
});

t.test('27: a write that ends at the open circuit has superseded nothing', async (t) => {
  const { app, put, sandbox, setTags, putAs } = await upstream(t);
  sandbox.fault({ status: 503, headers: { 'retry-after': '1' } });
  const older = setTags();
  await failedAttempt(app);
  sandbox.fault({ status: 500, times: 19 });
  for (let n = 0; n < 19; n += 1) await putAs('cometchat-uid-1');
  t.equal((await counts(app)).circuit_open, 1);
  t.equal((await put({ tags: ['newer'], conversationWith: OTHER })).json.code, 'cometchat-unavailable');
  t.equal((await older).json.code, 'cometchat-failed');
});
