import t, { type Test } from 'tap';
import type { Sandbox } from '../../sandbox/server.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { bearer, ME, OTHER } from '../helpers/tokens.ts';

const tagsOf = ({ world }: Sandbox) => [...world.tags(ME, 'users', OTHER)];
const countOf = ({ calls }: Sandbox, method: string) => calls.filter((call) => call.method === method).length;

const change = ({ patch }: Pick<Gateway, 'patch'>, add: string[], remove: string[] = []) =>
  patch({ add, remove, conversationWith: OTHER });

redisTest('50 clients of two gateways add a tag and remove it again, with few calls', async (t, redis) => {
  const sandbox = await startSandbox(t);
  const start = () => startGateway(t, { REDIS_URL: redis.url }, { sandbox });
  const gateways = [await start(), await start()] as const;
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async (_, number) => {
      const gateway = gateways[number % 2] as Gateway;
      const tag = `tag-${number % 25}`;
      const added = await change(gateway, [tag]);
      const removed = await change(gateway, [], [tag]);
      return [added.status, removed.status, removed.json.conversations[0].tags.includes(tag)];
    }),
  );
  // Two clients have the same tag, so that one may add it again after the other one has removed it.
  t.strictSame([...new Set(statuses.map(([added, removed]) => `${added} ${removed}`))], ['200 200']);
  t.strictSame(tagsOf(sandbox), []);
  const writes = countOf(sandbox, 'PUT');
  t.ok(writes < 30, `${writes} writes, and ${countOf(sandbox, 'GET')} reads`);
});

/** A gateway in a process of its own. */
async function child(t: Test, sandbox: Sandbox, redis: RedisServer) {
  const { child, origin } = await startProcess(t, { REDIS_URL: redis.url }, { sandbox });
  const patch = async (body: object) => {
    const headers = { 'content-type': 'application/json', ...(await bearer()) };
    return fetch(`${origin}/me/conversations/tags`, { method: 'PATCH', headers, body: JSON.stringify(body) });
  };
  return { gateway: child, patch };
}

for (const [method, left] of [
  ['GET', ['b']],
  ['PUT', ['a', 'b']],
] as const) {
  redisTest(
    `a gateway is killed in its ${method}: the other one goes on from what is there`,
    async (t, redis) => {
      const sandbox = await startSandbox(t);
      const other = await startGateway(t, { REDIS_URL: redis.url }, { sandbox });
      const { gateway, patch } = await child(t, sandbox, redis);
      const release = sandbox.hold(method);
      const arrived = new Promise<void>((resolve) => {
        const look = async () => {
          while ((await sandbox.nextCall()).method !== method);
          resolve();
        };
        void look();
      });
      const cutOff = patch({ add: ['a'], conversationWith: OTHER }).catch(() => 'no answer');
      await arrived;
      gateway.process.kill('SIGKILL');
      t.equal(await cutOff, 'no answer');
      release();
      const answer = await change(other, ['b']);
      t.strictSame([answer.status, answer.json.conversations[0].tags], [200, left]);
      t.strictSame(tagsOf(sandbox), left);
    },
  );
}

t.test(
  'CometChat’s own apps write past the gateway: in between read and write, and no longer, that is lost',
  async (t) => {
    const gateway = await startGateway(t);
    const { sandbox, underWay } = gateway;
    const sdkWrites = (...tags: string[]) => sandbox.world.update(ME, 'users', OTHER, { tags });
    sdkWrites('before');
    const release = sandbox.hold('GET');
    const { answer } = await underWay(() => change(gateway, ['vip']));
    // CometChat has read the tags, and its reply is on the way.
    sdkWrites('between');
    release();
    t.strictSame((await answer).json.conversations[0].tags, ['before', 'vip']);
    t.strictSame(
      tagsOf(sandbox),
      ['before', 'vip'],
      'the price of a set that can only be replaced as a whole',
    );
    sdkWrites('after');
    t.strictSame((await change(gateway, ['vip'])).json.conversations[0].tags, ['after', 'vip']);
  },
);

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

redisTest('that takes about as long as one read by the gateway', async (t, redis) => {
  const gateway = await startGateway(t, { REDIS_URL: redis.url });
  const { sandbox, getTags } = gateway;
  const windows: number[] = [];
  const reads: number[] = [];
  for (let number = 0; number < 100; number += 1) {
    const times: number[] = [];
    const note = async () => {
      while (times.length < 2) {
        await sandbox.nextCall();
        times.push(performance.now());
      }
    };
    const noted = note();
    await change(gateway, [`tag-${number % 2}`], [`tag-${(number + 1) % 2}`]);
    await noted;
    windows.push((times[1] as number) - (times[0] as number));
    const start = performance.now();
    await getTags({ conversationWith: OTHER });
    reads.push(performance.now() - start);
  }
  const [lost, read] = [median(windows), median(reads)];
  t.ok(lost < 2 * read, `${lost.toFixed(2)} ms from read to write; ${read.toFixed(2)} ms for a read`);
});
