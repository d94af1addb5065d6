import type { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import type { Services } from '../../src/base/services.ts';
import { cometChatClient } from '../../src/cometchat/client.ts';
import { setTags } from '../../src/cometchat/operations.ts';
import { startGateway } from '../helpers/gateway.ts';
import { redisTest } from '../helpers/redis.ts';
import { cometChatIdOf, services } from '../helpers/room.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { ME, OTHER } from '../helpers/tokens.ts';

const ENV = { COMETCHAT_DEADLINE_MS: '3000', COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000' };

/** A gateway whose clock stands still, and is set to one of these times whenever a call reaches CometChat. */
async function gatewayAt(t: Test, times: readonly number[]) {
  let now = 0;
  // No timer beside the attempts ends them.
  const clock: Clock = { ...MACHINE_CLOCK, now: () => now, after: () => () => {} };
  const gateway = await startGateway(t, ENV, {
    seams: { clock },
    // A busy machine takes nothing off the deadline.
    extend: (app) =>
      app.addHook('preHandler', async (request) => {
        request.admittedMs = 0;
      }),
  });
  const set = async () => {
    for (const time of times) {
      await gateway.sandbox.nextCall();
      now = time;
    }
  };
  void set();
  return gateway;
}

t.test('the deadline holds over all attempts', { timeout: 20_000 }, async (t) => {
  const { meets, sandbox } = await gatewayAt(t, [2400, 3000]);
  sandbox.fault({ status: 503 });
  sandbox.play('silence');
  await meets(t, {
    answer: [504, 'cometchat-timeout'],
    calls: 2,
    line: { level: 'warn', error: { type: /^timeout_/ }, retried: ['503'] },
    moved: {
      'problems cometchat-timeout': 1,
      'attempts cometchat-failed': 1,
      'attempts cometchat-timeout': 1,
      retries: 1,
    },
  });
});

t.test('no further attempt begins when there is no time for it', async (t) => {
  const { meets, sandbox } = await gatewayAt(t, [2949]);
  sandbox.fault({ status: 503 });
  await meets(t, {
    answer: [502, 'cometchat-failed'],
    calls: 1,
    line: { level: 'warn', error: { type: '503' }, retried: undefined },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
  });
});

/** A client of a sandbox, with a deadline that leaves an attempt all the time that it needs. */
async function clientOf(t: Test, around: Services) {
  const sandbox = await startSandbox(t);
  const client = cometChatClient(
    {
      baseUrl: sandbox.baseUrl,
      apiKeys: { current: [API_KEY] },
      deadlineMs: 30_000,
      attemptTimeoutMs: 5000,
      maxConcurrency: 9,
      callsPerMinute: 999,
    },
    around,
  );
  t.teardown(() => client.close());
  const requester = (spentMs: number) => ({
    onBehalfOf: cometChatIdOf(ME),
    gone: new AbortController().signal,
    deadline: client.deadline(spentMs),
  });
  return { sandbox, client, requester };
}

const WITH_OTHER = { type: 'user', id: cometChatIdOf(OTHER) } as const;

t.test('a call that has waited too long for Redis is not sent', async (t) => {
  for (const [tookMs, calls, outcome] of [
    [27_000, 1, { ok: true }],
    [29_951, 0, { problem: 'cometchat-timeout', errorType: 'deadline' }],
  ] as const) {
    let now = 0;
    const redis = {
      eval: async () => [1, 1, 1],
      pttl: async () => {
        now = tookMs;
        return -2;
      },
    } as unknown as Redis;
    const clock = { ...MACHINE_CLOCK, now: () => now };
    const { client, requester, sandbox } = await clientOf(t, services(redis, { clock }));
    t.match(await client.read(setTags(WITH_OTHER, ['vip']), requester(0)), { outcome });
    t.equal(sandbox.received, calls);
  }
});

t.test('each client has a deadline of its own, also where one write serves several', async (t) => {
  const { client, requester, sandbox } = await clientOf(t, services());
  const write = (spentMs: number) =>
    client.lanes.write(WITH_OTHER, { kind: 'replace', tags: ['vip'] }, requester(spentMs));
  sandbox.play('reset-on-arrival');
  const release = sandbox.hold();
  const [first, patient, last] = [write(29_900), write(0), write(29_900)];
  t.match(await Promise.all([first, last]), [
    { outcome: { problem: 'cometchat-timeout', errorType: 'deadline' } },
    { outcome: { problem: 'cometchat-timeout', errorType: 'deadline' }, isJoined: true },
  ]);
  release();
  t.match(await patient, { outcome: { ok: true }, isJoined: true, retried: ['ECONNRESET'] });
});

redisTest(
  'a deadline counts from when the request came, though that was slow to be let in',
  async (t, redis) => {
    const env = { COMETCHAT_DEADLINE_MS: '1200', REDIS_URL: redis.url };
    const { sandbox, setTags } = await startGateway(t, env);
    // It would fit into a deadline that begins later.
    sandbox.fault({ status: 503, headers: { 'retry-after': '1' } });
    redis.freeze();
    setTimeout(() => redis.thaw(), 300);
    const answer = await setTags();
    t.equal(answer.json.code, 'cometchat-failed');
    t.equal(answer.headers.get('retry-after'), '1');
    t.equal(sandbox.received, 1);
  },
);
