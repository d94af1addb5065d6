import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { API_KEY, ME, OTHER, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';
import { Sandbox } from '../sandbox/server.ts';
import { counts, upstream } from './upstream.ts';

type Gateway = Awaited<ReturnType<typeof upstream>>;
const to = ({ put }: Gateway, ...tags: string[]) => put({ tags, conversationWith: OTHER });

/** One gateway twice, or two that share a Redis; before the same sandbox, which remembers what it has written. */
async function replicas(t: Test, shared: boolean) {
  const sandbox = await Sandbox.start({ apiKey: API_KEY });
  t.teardown(() => sandbox.close());
  const written: string[] = [];
  sandbox.world.onWrite = ({ tags }) => void written.push(tags.join());
  const env = {
    COMETCHAT_BASE_URL: sandbox.baseUrl,
    COMETCHAT_DEADLINE_MS: '2000',
    ...(shared && { REDIS_URL: (await RedisServer.start(t)).url }),
  };
  // Between two tries there is time for somebody else.
  const cometchat = { random: () => 1 };
  const one = await upstream(t, env, { cometchat });
  const two = shared ? await upstream(t, env, { cometchat }) : one;
  return { one, two, sandbox, written };
}

for (const shared of [false, true]) {
  const where = shared ? 'two replicas that share a Redis' : 'one replica';
  const options = shared ? unlessInstalled('redis-server') : {};

  t.test(`31: ${where}: a write that a newer one has overtaken is not tried again`, options, async (t) => {
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
  });

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

  t.test(`31: ${where}: the same write in flight is made once`, options, async (t) => {
    const { one, two, sandbox, written } = await replicas(t, shared);
    sandbox.fault({ delayMs: 400 });
    const arrived = sandbox.nextCall();
    const first = to(one, 'vip');
    await arrived;
    const answers = await Promise.all([first, to(two, 'vip'), to(two, 'vip')]);
    t.strictSame(
      answers.map(({ json }) => json.conversations?.[0].tags),
      Array(3).fill(['vip']),
    );
    t.strictSame(written, ['vip']);
    const merged = async ({ app }: Gateway) => (await counts(app)).merged_writes ?? 0;
    t.equal((await merged(one)) + (shared ? await merged(two) : 0), 2);
    await to(two, 'vip');
    t.strictSame(written, ['vip', 'vip'], 'what comes after it is made again');
  });

  t.test(`31: ${where}: the same write in flight is refused once`, options, async (t) => {
    const { one, two, sandbox } = await replicas(t, shared);
    sandbox.fault({ delayMs: 400, status: 404, body: { error: { code: 'ERR_UID_NOT_FOUND' } } });
    const arrived = sandbox.nextCall();
    const first = to(one, 'vip');
    await arrived;
    const answers = await Promise.all([first, to(two, 'vip')]);
    t.strictSame(
      answers.map(({ json }) => json.code),
      ['user-not-found', 'user-not-found'],
    );
    t.equal(sandbox.received, 1);
  });

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
