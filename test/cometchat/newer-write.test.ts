import t, { type Test } from 'tap';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { type RedisServer, redisTest, withAndWithoutRedis } from '../helpers/redis.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { ME, OTHER } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

// lanes.test.ts has the rules to the millisecond; here they meet real requests and a real Redis.

const to = ({ put }: Gateway, tag: string) => put({ tags: [tag], conversationWith: OTHER });
const BUSY_FOR_A_SECOND = { status: 503, headers: { 'retry-after': '1' } };

/** A clock on which the wait for Retry-After lasts until the test says so, or the write is superseded. */
function heldRetries() {
  const over = new AbortController();
  const clock: Clock = {
    ...MACHINE_CLOCK,
    // The shorter waits are those for the lease.
    wait: (ms, ended) =>
      ms < 1000
        ? MACHINE_CLOCK.wait(ms, ended)
        : MACHINE_CLOCK.wait(60_000, AbortSignal.any([ended, over.signal])),
  };
  return { clock, retry: () => over.abort() };
}

/** One gateway twice, or two that share a Redis; before the same sandbox, which remembers what it has written. */
async function replicas(t: Test, redis?: RedisServer) {
  const sandbox = await startSandbox(t);
  const written: string[] = [];
  sandbox.world.onWrite = ({ tags }) => void written.push(tags.join());
  const { clock, retry } = heldRetries();
  const start = () => startGateway(t, { REDIS_URL: redis?.url }, { sandbox, seams: { clock } });
  const one = await start();
  return { one, two: redis ? await start() : one, retry, sandbox, written };
}

withAndWithoutRedis(
  'a write that a newer one has superseded is a 409, and not sent again',
  async (t, redis) => {
    const { one, two, retry, sandbox, written } = await replicas(t, redis);
    sandbox.fault(BUSY_FOR_A_SECOND);
    await one.meets(
      t,
      {
        answer: [409, 'superseded'],
        calls: 2,
        line: { level: 'info', problem: 'superseded', error: { type: 'superseded' } },
        moved: {
          'problems superseded': 1,
          'attempts cometchat-failed': 1,
          ...(!redis && { 'attempts ok': 1 }),
        },
      },
      async () => {
        const older = to(one, 'older');
        await one.counted('attempts cometchat-failed');
        t.equal((await to(two, 'newer')).status, 200);
        retry();
        return older;
      },
    );
    t.strictSame(written, ['newer']);
    t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['newer']);
  },
);

t.test('equal writes that come while the first is under way are one, and the log says so', async (t) => {
  const { sandbox, underWay, setTags, requests, counted, counts } = await startGateway(t);
  const release = sandbox.hold();
  const { answer } = await underWay(setTags);
  const others = [setTags(), setTags()];
  await counted('joined_writes', 2);
  release();
  for (const { status, json } of await Promise.all([answer, ...others])) {
    t.strictSame([status, json.conversations[0].tags], [200, ['vip']]);
  }
  t.equal(sandbox.received, 1);
  t.equal(requests().filter(({ joined }) => joined).length, 2);
  t.equal((await counts()).joined_writes, 2);
});

withAndWithoutRedis('other users and other conversations do not wait', async (t, redis) => {
  const { one, two, sandbox } = await replicas(t, redis);
  const release = sandbox.hold();
  const { answer } = await one.underWay(() => one.setTags());
  const user = await two.putAs('cometchat-uid-1');
  t.equal(user.json.conversations[0].conversationId, `cometchat-uid-1_user_${OTHER}`);
  for (const other of [
    { conversationWith: 'cometchat-uid-1' },
    { conversationWith: 'project-group', conversationType: 'group' },
  ]) {
    t.equal((await two.put({ tags: ['vip'], ...other })).status, 200);
  }
  release();
  t.equal((await answer).status, 200);
});

t.test('a write that is refused at once has superseded nothing', async (t) => {
  const { clock, retry } = heldRetries();
  const { counted, sandbox, setTags, putAs, put } = await startGateway(t, {}, { seams: { clock } });
  sandbox.fault(BUSY_FOR_A_SECOND, { status: 429, headers: { 'retry-after': '30' } });
  const older = setTags();
  await counted('attempts cometchat-failed');
  t.equal((await putAs('cometchat-uid-1')).json.code, 'cometchat-busy');
  t.equal((await put({ tags: ['newer'], conversationWith: OTHER })).json.code, 'cometchat-busy');
  retry();
  t.equal((await older).json.code, 'cometchat-failed');
});

for (const when of ['before the first attempt', 'after it']) {
  redisTest(
    `a newer write supersedes though Redis was lost ${when}, and has come back empty`,
    async (t, redis) => {
      const { one, two, retry, sandbox, written } = await replicas(t, redis);
      if (when === 'before the first attempt') await redis.stop();
      sandbox.fault(BUSY_FOR_A_SECOND);
      const older = to(one, 'older');
      await one.counted('attempts cometchat-failed');
      if (when === 'after it') await redis.stop();
      await redis.start();
      for (const { lines } of [one, two]) {
        await until('Redis', () => lines.join().includes('"msg":"Redis connection restored"'));
      }
      t.equal((await to(two, 'newer')).status, 200);
      retry();
      t.equal((await older).json.code, 'superseded');
      t.strictSame(written, ['newer']);
    },
  );
}
