import { startFleet, users } from '../helpers/fleet.ts';
import { testWith } from '../helpers/installed.ts';
import { redisTest } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

/** Waits until the users are answered so, and gives the answers before. */
async function untilAnswered(
  users: { answer: () => Promise<{ code: string }> },
  code: string,
): Promise<Set<string>> {
  const before = new Set<string>();
  await until(`the answer ${code}`, async () => {
    const answer = await users.answer();
    if (answer.code === code) return true;
    before.add(answer.code);
    return false;
  });
  return before;
}

testWith(
  'nginx',
  'a gateway is killed: the other one takes over at once, and no request fails',
  async (t) => {
    const { gateways, origin } = await startFleet(t);
    const load = await users(t, origin);
    const [one, other] = gateways;
    await one?.child.says(/"status":200/);
    await one?.kill();
    const before = other?.child.stdout.length ?? 0;
    await until('much in the log', () => (other?.child.stdout.length ?? 0) >= before + 10_000);
    await one?.start();
    await one?.child.says(/"status":200/);
    const { 200: served = 0, ...others } = await load.end();
    t.strictSame(others, {});
    t.ok(served);
  },
);

testWith(
  'nginx',
  'CometChat is killed: calls fail at once and as documented, and go on by themselves',
  async (t) => {
    const { sandbox, gateways, origin } = await startFleet(t);
    const load = await users(t, origin);
    await gateways[0]?.child.says(/"status":200/);
    await sandbox.kill();
    const failing = await untilAnswered(load, 'cometchat-unavailable');
    for (const code of failing) t.match(code, /^(?:ok|cometchat-failed)$/);
    await sandbox.start();
    const recovering = await untilAnswered(load, 'ok');
    for (const code of recovering) t.match(code, /^cometchat-(?:failed|unavailable)$/);
    for (const { child } of gateways) await child.says(/"CometChat answers again: circuit closed"/);
    const { 200: served, 502: failed, 503: refused, ...others } = await load.end();
    t.ok(served && refused);
    t.strictSame(others, {}, `${failed} failed`);
  },
);

redisTest(
  'Redis is killed: each gateway counts for itself, and a session that nobody can check waits',
  async (t, redis) => {
    const { gateways, origin } = await startFleet(t, { REDIS_URL: redis.url });
    const unrevocable = await users(t, origin);
    const revocable = await users(t, origin, { jti: 'a' });
    await untilAnswered(revocable, 'ok');
    await redis.stop();
    const before = await untilAnswered(revocable, 'session-store-unavailable');
    for (const code of before) t.equal(code, 'ok');
    for (const { child } of gateways) await child.says(/"msg":"Redis unavailable: using in-process state"/);
    t.equal((await unrevocable.answer()).code, 'ok');
    await redis.start();
    const recovering = await untilAnswered(revocable, 'ok');
    for (const code of recovering) t.equal(code, 'session-store-unavailable');
    for (const { child } of gateways) await child.says(/"msg":"Redis available: using shared state"/);
    const { 200: served, ...others } = await unrevocable.end();
    t.strictSame(others, {}, 'who can be checked without it was served all the time');
    const { 503: refused, ...answered } = await revocable.end();
    t.strictSame(Object.keys(answered), ['200']);
    t.ok(served && refused);
  },
);
