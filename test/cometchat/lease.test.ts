import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { Sandbox } from '../../sandbox/server.ts';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import type { Outcome } from '../../src/cometchat/call.ts';
import { CometChatClient } from '../../src/cometchat/client.ts';
import { type CometChatId, cometChatId } from '../../src/cometchat/conversation.ts';
import { SharedOrder } from '../../src/cometchat/lease.ts';
import { Write } from '../../src/cometchat/write.ts';
import { API_KEY, edges, ME, OTHER, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';

const DONE = { ok: true, status: 200, conversations: DOCUMENTED_REPLY.data } as Outcome;
const write = () => new Write('', undefined, () => new Promise(() => {}));

async function orderOf(t: Test) {
  const server = await RedisServer.start(t);
  const redis = new Redis(server.url);
  t.teardown(() => redis.disconnect());
  await once(redis, 'ready');
  const around = edges(redis);
  const order = new SharedOrder(redis, around);
  return { redis, metrics: around.metrics, place: (body: string) => order.place('lane', body) };
}

t.test(
  'a replica that dies keeps the others waiting for its try and a second, no longer',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, place } = await orderOf(t);
    const one = place('a');
    await one.enter(write(), 500);
    const left = await redis.pttl('write:lane:turn');
    t.ok(left > 1000 && left <= 1500, `${left} ms`);
    t.ok((await redis.pttl('write:lane')) > 60_000, 'and what it knew goes by itself');
    t.ok(one.isHeld);
    await wait(1000);
    t.notOk(one.isHeld, 'a try that began now could end in the turn of another');
  },
);

t.test('one whose time is over takes the turn from nobody', unlessInstalled('redis-server'), async (t) => {
  const { redis, place } = await orderOf(t);
  const [slow, next] = [place('a'), place('b')];
  await slow.enter(write(), -950);
  await wait(60);
  await next.enter(write(), 500);
  slow.leave(DONE);
  t.equal(await redis.exists('write:lane:turn'), 1);
  t.equal(await redis.hget('write:lane', 'done'), null);
});

t.test(
  'who has asked for a place only does not hold up others',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, metrics, place } = await orderOf(t);
    await place('a').take();
    t.ok((await metrics.redisFailures.get()).values.every(({ value }) => value === 0));
    t.equal(await redis.exists('write:lane:turn'), 0);
  },
);

t.test(
  'an outcome is kept for those who wait for it alone, for seconds, and without texts',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, place } = await orderOf(t);
    const alone = place('a');
    await alone.enter(write(), 500);
    alone.leave(DONE);
    await redis.ping();
    t.equal(await redis.exists('write:lane:outcome'), 0);
    const [first, second] = [place('b'), place('b')];
    await first.enter(write(), 500);
    await second.take();
    first.leave(DONE);
    const outcome = await second.enter(write(), 500);
    t.match(outcome, {
      ok: true,
      conversations: [{ conversationId: DOCUMENTED_REPLY.data[0]?.conversationId }],
    });
    const kept = `${await redis.get('write:lane:outcome')}`;
    t.notMatch(kept, /"text"|"data"|lastActiveAt|"metadata"/);
    t.ok((await redis.pttl('write:lane:outcome')) > 0, 'it goes by itself');
  },
);

t.test(
  'the same twice at once, after other tags of another replica, is one write',
  unlessInstalled('redis-server'),
  async (t) => {
    const server = await RedisServer.start(t);
    const sandbox = await Sandbox.start({ apiKey: API_KEY });
    t.teardown(() => sandbox.close());
    const clients: CometChatClient[] = [];
    for (const _ of [1, 2]) {
      const redis = new Redis(server.url);
      const times = { deadlineMs: 2000, attemptTimeoutMs: 1000 };
      const config = {
        baseUrl: sandbox.baseUrl,
        apiKeys: { current: [API_KEY] },
        maxConcurrency: 9,
        callsPerMinute: 999,
        ...times,
      };
      const client = new CometChatClient(config, edges(redis));
      clients.push(client);
      t.teardown(() => {
        client.close();
        redis.disconnect();
      });
      await once(redis, 'ready');
    }
    const [one, two] = clients as [CometChatClient, CometChatClient];
    const [me, id] = [cometChatId(ME), cometChatId(OTHER)] as [CometChatId, CometChatId];
    const put = (client: CometChatClient, tag: string) => client.updateTags(me, { type: 'user', id }, [tag]);
    sandbox.fault({ delayMs: 300 });
    const arrived = sandbox.nextCall();
    const first = put(one, 'archived');
    await arrived;
    const other = put(two, 'inbox');
    await wait(50);
    const [third, fourth] = [put(one, 'archived'), put(one, 'archived')];
    const results = await Promise.all([first, other, third, fourth]);
    t.match(results, [
      { outcome: { ok: true } },
      { outcome: { problem: 'superseded' } },
      { outcome: { ok: true }, merged: false },
      { outcome: { ok: true }, merged: true },
    ]);
    t.equal(sandbox.received, 2);
  },
);
