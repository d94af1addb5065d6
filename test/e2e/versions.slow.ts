import { previousIsMissing, previousRelease } from '../helpers/previous-release.ts';
import { startProcess } from '../helpers/process.ts';
import { redisTest } from '../helpers/redis.ts';
import { sign } from '../helpers/tokens.ts';

// While a fleet is updated, some replicas are of the previous release. cometchat/no-lost-change.slow.ts has the order of their writes.

const LIMIT = 9;
const BODY = { tags: ['a'], conversationWith: 'cometchat-uid-3' };

redisTest(
  'a gateway of the previous release and one of ours count together, and let nobody in whom the other refuses',
  async (t, redis) => {
    const env = { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: `${LIMIT}`, COMETCHAT_CALLS_PER_MINUTE: '30' };
    const previous = await startProcess(t, env, { main: previousRelease(t), sandbox: { users: 40 } });
    const ours = await startProcess(t, env, { sandbox: previous.sandbox });
    t.match(previous.child.stdout, '"version":"1.1.0"');
    t.notMatch(ours.child.stdout, '"version":"1.1.0"');
    // All in one minute.
    const left = 60_000 - (Date.now() % 60_000);
    if (left < 10_000) await new Promise((resolve) => setTimeout(resolve, left));

    const session = await sign({ jti: 'ended', sub: 'cometchat-uid-1' });
    for (const { call } of [previous, ours]) t.equal((await call(BODY, session)).status, 200);
    await redis.command('SET', 'revoked:ended', '1', 'EX', 60);
    for (const { call } of [previous, ours]) t.equal((await call(BODY, session)).status, 401);

    const statuses: number[] = [];
    for (let n = 0; n <= LIMIT; n += 1) {
      statuses.push((await (n % 2 === 0 ? previous : ours).call(BODY)).status);
    }
    t.strictSame(statuses, [...Array(LIMIT).fill(200), 429]);

    // Of the quota, 11 calls are used up: 19 are left, for whichever users come first.
    let served = 0;
    for (let n = 0; n < 25; n += 1) {
      const user = await sign({ sub: `cometchat-uid-${n + 10}` });
      const { status } = await (n % 2 === 0 ? previous : ours).call(BODY, user);
      if (status === 200) served += 1;
      else t.equal(status, 503);
    }
    t.equal(served, 19);
  },
  { skip: previousIsMissing },
);
