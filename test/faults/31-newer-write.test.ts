import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Sandbox } from '../../sandbox/server.ts';
import { type Answer, API_KEY, ME, OTHER, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';
import { counts, failedAttempt, upstream } from './upstream.ts';

type Gateway = Awaited<ReturnType<typeof upstream>>;
const to = ({ put }: Gateway, ...tags: string[]) => put({ tags, conversationWith: OTHER });

/** One gateway twice, or two that share a Redis; before the same sandbox, which remembers what it has written. */
async function replicas(t: Test, shared: boolean) {
  const sandbox = await Sandbox.start({ apiKey: API_KEY });
  t.teardown(() => sandbox.close());
  const written: string[] = [];
  sandbox.world.onWrite = ({ tags }) => void written.push(tags.join());
  const redis = shared ? await RedisServer.start(t) : undefined;
  const env = {
    COMETCHAT_BASE_URL: sandbox.baseUrl,
    COMETCHAT_DEADLINE_MS: '2000',
    ...(redis && { REDIS_URL: redis.url }),
  };
  // Between two attempts there is time for somebody else.
  const seams = { random: () => 1 };
  const one = await upstream(t, env, { seams });
  const two = shared ? await upstream(t, env, { seams }) : one;
  return { one, two, sandbox, written, redis };
}

/** The tags of the first conversation of each answer. */
const tagsOf = (answers: Answer[]) => answers.map(({ json }) => json.conversations?.[0].tags);

/** Waits until a gateway has found Redis again. */
async function back({ lines }: Gateway): Promise<void> {
  while (!lines.join().includes('"msg":"Redis connection restored"')) await wait(5);
}

for (const shared of [false, true]) {
  const where = shared ? 'two replicas that share a Redis' : 'one replica';
  const options = shared ? unlessInstalled('redis-server') : {};

  t.test(
    `31: ${where}: a write that a newer one has superseded is not attempted again`,
    options,
    async (t) => {
      const { one, two, sandbox, written } = await replicas(t, shared);
      const before = await counts(one.app);
      sandbox.play('07-reset-on-arrival');
      const arrived = sandbox.nextCall();
      const older = to(one, 'older');
      await arrived;
      const newer = await to(two, 'newer');
      t.equal(newer.status, 200);
      const answer = await older;
      t.strictSame([answer.status, answer.json.code], [409, 'superseded']);
      t.strictSame(written, ['newer']);
      t.equal(sandbox.received, 2);
      const line = one.requests().find(({ status }) => status === 409);
      t.match(line, { level: 'info', problem: 'superseded', error: { type: 'superseded' } });
      t.equal((await counts(one.app))['problems superseded'], 1 + (before['problems superseded'] ?? 0));
      t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['newer']);
    },
  );

  t.test(
    `31: ${where}: writes to one conversation go out in order, and only the newest waits`,
    options,
    async (t) => {
      const { one, two, sandbox, written } = await replicas(t, shared);
      sandbox.fault({ delayMs: 600 });
      const arrived = sandbox.nextCall();
      const first = to(one, 'first');
      await arrived;
      const second = to(two, 'second');
      await wait(100);
      const third = to(one, 'third');
      const answers = await Promise.all([first, second, third]);
      t.strictSame(
        answers.map(({ status }) => status),
        [200, 409, 200],
      );
      t.strictSame(written, ['first', 'third']);
    },
  );

  t.test(`31: ${where}: other conversations do not wait`, options, async (t) => {
    const { one, two, sandbox } = await replicas(t, shared);
    sandbox.fault({ delayMs: 60_000 });
    const arrived = sandbox.nextCall();
    const slow = one.put({ tags: [], conversationWith: OTHER }).catch(() => {});
    await arrived;
    t.equal((await two.put({ tags: [], conversationWith: 'cometchat-uid-1' })).status, 200);
    t.equal(
      (await two.put({ tags: [], conversationWith: 'project-group', conversationType: 'group' })).status,
      200,
    );
    t.equal((await two.putAs('cometchat-uid-1')).status, 200);
    await slow;
  });
}

t.test('31: one replica: the same write in flight is made once', async (t) => {
  const { one, sandbox, written } = await replicas(t, false);
  sandbox.fault({ delayMs: 400 });
  const arrived = sandbox.nextCall();
  const first = to(one, 'vip');
  await arrived;
  const answers = await Promise.all([first, to(one, 'vip'), to(one, 'vip')]);
  t.strictSame(tagsOf(answers), Array(3).fill(['vip']));
  t.strictSame(written, ['vip']);
  t.equal((await counts(one.app)).merged_writes, 2);
  await to(one, 'vip');
  t.strictSame(written, ['vip', 'vip'], 'what comes after it is made again');
});

t.test('31: one replica: the same write in flight is refused once', async (t) => {
  const { one, sandbox } = await replicas(t, false);
  sandbox.fault({ delayMs: 400, status: 404, body: { error: { code: 'ERR_UID_NOT_FOUND' } } });
  const arrived = sandbox.nextCall();
  const first = to(one, 'vip');
  await arrived;
  const answers = await Promise.all([first, to(one, 'vip')]);
  t.strictSame(
    answers.map(({ json }) => json.code),
    ['user-not-found', 'user-not-found'],
  );
  t.equal(sandbox.received, 1);
});

t.test(
  '31: two replicas that share a Redis: the same write on both is made twice, one after the other',
  unlessInstalled('redis-server'),
  async (t) => {
    const { one, two, sandbox, written } = await replicas(t, true);
    sandbox.fault({ delayMs: 400 });
    const arrived = sandbox.nextCall();
    const first = to(one, 'vip');
    await arrived;
    const start = performance.now();
    const second = to(two, 'vip');
    await wait(100);
    const others = await Promise.all([second, to(two, 'vip')]);
    t.ok(performance.now() - start >= 380, 'the second one waits for the first');
    t.strictSame(tagsOf([await first, ...others]), Array(3).fill(['vip']));
    t.strictSame(written, ['vip', 'vip']);
    t.equal((await counts(one.app)).merged_writes, 0);
    t.equal((await counts(two.app)).merged_writes, 1, 'those of one process are one');
  },
);

t.test(
  '31: one replica with a Redis: the same write that comes several times at once is made once',
  unlessInstalled('redis-server'),
  async (t) => {
    const { one, sandbox } = await replicas(t, true);
    for (const times of [2, 3, 4, 5]) {
      const before = sandbox.received;
      sandbox.fault({ delayMs: 100 });
      const answers = await Promise.all(Array.from({ length: times }, () => to(one, 'vip')));
      t.strictSame(tagsOf(answers), Array(times).fill(['vip']));
      t.equal(sandbox.received - before, 1);
    }
  },
);

t.test(
  '31: two replicas that share a Redis: a newer write supersedes an older one that is the same',
  unlessInstalled('redis-server'),
  async (t) => {
    const { one, two, sandbox, written } = await replicas(t, true);
    sandbox.fault({ status: 503, headers: { 'retry-after': '1' } });
    const older = to(one, 'vip');
    await failedAttempt(one.app);
    t.equal((await to(two, 'vip')).status, 200);
    const { status, json } = await older;
    t.strictSame([status, json.code], [409, 'superseded']);
    t.strictSame(written, ['vip']);
    t.equal(sandbox.received, 2);
  },
);

t.test(
  '31: two replicas that share a Redis: the order is that of arrival, and not of the turns',
  unlessInstalled('redis-server'),
  async (t) => {
    const { one, two, sandbox, written } = await replicas(t, true);
    sandbox.fault({ delayMs: 600 });
    const arrived = sandbox.nextCall();
    const first = to(one, 'first');
    await arrived;
    const second = to(one, 'second');
    await wait(200);
    const answers = await Promise.all([first, second, to(two, 'third')]);
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 409, 200],
    );
    t.strictSame(written, ['first', 'third']);
  },
);

t.test('31: the same again after a failure does not wait for what became of it', async (t) => {
  for (const shared of process.env.CI || !unlessInstalled('redis-server').skip ? [false, true] : [false]) {
    const { one, sandbox, written } = await replicas(t, shared);
    sandbox.play('07-reset-on-arrival', 3);
    t.equal((await to(one, 'vip')).status, 502);
    const start = performance.now();
    t.equal((await to(one, 'vip')).status, 200);
    t.ok(performance.now() - start < 900, 'a newer one would wait for a second');
    t.strictSame(written, ['vip']);
  }
});

for (const shared of [false, true]) {
  const where = shared ? 'two replicas that share a Redis' : 'one replica';
  const options = shared ? unlessInstalled('redis-server') : {};
  t.test(`31: ${where}: an attempt that CometChat carries out late is waited for`, options, async (t) => {
    const { one, two, sandbox, written } = await replicas(t, shared);
    sandbox.play('07-reset-on-arrival');
    // As a back end does whose proxy has given up.
    sandbox.onConnection((socket) =>
      socket.once('close', () => setTimeout(() => written.push('older'), 300)),
    );
    const arrived = sandbox.nextCall();
    const older = to(one, 'older');
    await arrived;
    t.equal((await to(two, 'newer')).status, 200);
    t.equal((await older).status, 409);
    t.strictSame(written.slice(0, 2), ['older', 'newer']);
  });
}

t.test(
  '31: the same again, once it has succeeded, does not end the wait for the first attempt',
  async (t) => {
    const { one, sandbox, written } = await replicas(t, false);
    sandbox.fault({ reset: 'on-arrival', times: 3 });
    t.equal((await to(one, 'vip')).status, 502);
    const start = performance.now();
    t.equal((await to(one, 'vip')).status, 200);
    t.equal((await to(one, 'other')).status, 200);
    t.ok(performance.now() - start > 700, 'which may still land');
    t.strictSame(written, ['vip', 'other']);
  },
);

t.test('31: an attempt in doubt holds up a newer write from its start on, not from its end', async (t) => {
  const env = { COMETCHAT_DEADLINE_MS: '4000', COMETCHAT_ATTEMPT_TIMEOUT_MS: '1500' };
  const { put, sandbox } = await upstream(t, env);
  sandbox.play('09-silence');
  const arrived = sandbox.nextCall();
  const older = put({ tags: ['older'], conversationWith: OTHER });
  await arrived;
  const start = performance.now();
  t.equal((await put({ tags: ['newer'], conversationWith: OTHER })).status, 200);
  const ms = performance.now() - start;
  t.ok(ms > 1300 && ms < 2500, `${ms} ms: when the attempt timed out it had been waited for long enough`);
  t.equal((await older).json.code, 'superseded');
});

t.test('31: an attempt in doubt leaves a newer write half of its deadline', async (t) => {
  const env = { COMETCHAT_DEADLINE_MS: '1000', COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000' };
  const { put, sandbox } = await upstream(t, env, { seams: { random: () => 1 } });
  sandbox.play('07-reset-on-arrival');
  const arrived = sandbox.nextCall();
  const older = put({ tags: ['older'], conversationWith: OTHER });
  await arrived;
  t.equal((await put({ tags: ['newer'], conversationWith: OTHER })).status, 200);
  t.equal((await older).json.code, 'superseded');
  t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['newer']);
});

for (const [status, isWaitedFor] of [
  [503, false],
  [504, true],
] as const) {
  t.test(
    `31: two replicas that share a Redis: a newer write does ${isWaitedFor ? '' : 'not '}wait for a ${status} with Retry-After`,
    unlessInstalled('redis-server'),
    async (t) => {
      const { one, two, sandbox } = await replicas(t, true);
      sandbox.fault({ status, headers: { 'retry-after': '1' } });
      const start = performance.now();
      const older = to(one, 'older');
      await failedAttempt(one.app);
      t.equal((await to(two, 'newer')).status, 200);
      const ms = performance.now() - start;
      t.equal(ms > 800, isWaitedFor, `${ms} ms: only a 504 may still be carried out`);
      t.equal((await older).json.code, 'superseded');
      t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['newer']);
    },
  );
}

t.test('31: the same tags again need not wait while the first attempt is on the wire', async (t) => {
  const { one, sandbox, written } = await replicas(t, false);
  sandbox.fault({ delayMs: 300, reset: 'on-arrival' });
  const arrived = sandbox.nextCall();
  const first = to(one, 'vip');
  await arrived;
  const start = performance.now();
  const other = to(one, 'other');
  await wait(50);
  const answers = await Promise.all([first, other, to(one, 'vip')]);
  t.strictSame(
    answers.map(({ status }) => status),
    [409, 409, 200],
  );
  t.ok(performance.now() - start < 900, 'other tags would wait for a second');
  t.strictSame(written, ['vip']);
});

t.test(
  '31: tags that were there before are set again after others',
  unlessInstalled('redis-server'),
  async (t) => {
    const { one, two, sandbox, written } = await replicas(t, true);
    sandbox.fault({ delayMs: 500 });
    const arrived = sandbox.nextCall();
    const first = to(one, 'archived');
    await arrived;
    const second = to(two, 'inbox');
    await wait(100);
    const answers = await Promise.all([first, second, to(one, 'archived'), to(one, 'archived')]);
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 409, 200, 200],
    );
    t.strictSame(written, ['archived', 'archived'], 'once more, for both');
  },
);

t.test(
  '31: Redis is lost and comes back between two attempts',
  unlessInstalled('redis-server'),
  async (t) => {
    for (const downAtFirst of [false, true]) {
      const { one, two, sandbox, written, redis } = await replicas(t, true);
      if (downAtFirst) await redis?.stop();
      sandbox.fault({ status: 503, headers: { 'retry-after': '1' } });
      const arrived = sandbox.nextCall();
      const older = to(one, 'older');
      await arrived;
      if (!downAtFirst) await redis?.stop();
      await redis?.start();
      await back(one);
      await back(two);
      t.equal((await to(two, 'newer')).status, 200);
      t.equal((await older).json.code, 'superseded', downAtFirst ? 'down at first' : 'empty');
      t.strictSame(written, ['newer']);
    }
  },
);

t.test('31: a newer write does not wait for the time that the older one was told to', async (t) => {
  const { put, app, sandbox } = await upstream(t);
  const to = (...tags: string[]) => put({ tags, conversationWith: OTHER });
  sandbox.fault({ status: 503, headers: { 'retry-after': '2' } });
  const older = to('older');
  await failedAttempt(app);
  const start = performance.now();
  t.equal((await to('newer')).status, 200);
  t.equal((await older).json.code, 'superseded');
  t.ok(performance.now() - start < 1000);
});

t.test(
  '31: the same tags of another user, or for another conversation, are a write of their own',
  async (t) => {
    const { put, putAs, sandbox } = await upstream(t);
    sandbox.fault({ delayMs: 1200 });
    const arrived = sandbox.nextCall();
    let ended = false;
    const slow = put({ tags: ['vip'], conversationWith: OTHER }).then(() => {
      ended = true;
    });
    await arrived;
    const user = await putAs('cometchat-uid-1');
    t.equal(user.json.conversations?.[0].conversationId, `cometchat-uid-1_user_${OTHER}`);
    await put({ tags: ['vip'], conversationWith: 'cometchat-uid-1' });
    await put({ tags: ['vip'], conversationWith: OTHER, conversationType: 'group' });
    t.notOk(ended, 'and none of them waits');
    t.strictSame(
      sandbox.calls.map(({ headers, path }) => [headers.onbehalfof, path.split('/').slice(2, 4).join()]),
      [
        [ME, `users,${OTHER}`],
        ['cometchat-uid-1', `users,${OTHER}`],
        [ME, 'users,cometchat-uid-1'],
        [ME, `groups,${OTHER}`],
      ],
    );
    await slow;
  },
);

t.test('31: a write that is refused at once has superseded nothing', async (t) => {
  const { app, put, sandbox, setTags, putAs } = await upstream(
    t,
    { COMETCHAT_DEADLINE_MS: '2000' },
    { seams: { random: () => 1 } },
  );
  sandbox.fault(
    { status: 503, headers: { 'retry-after': '1' } },
    { status: 429, headers: { 'retry-after': '30' } },
  );
  const older = setTags();
  await failedAttempt(app);
  t.equal((await putAs('cometchat-uid-1')).json.code, 'cometchat-busy');
  t.equal((await put({ tags: ['newer'], conversationWith: OTHER })).json.code, 'cometchat-busy');
  t.equal((await older).json.code, 'cometchat-failed');
});
