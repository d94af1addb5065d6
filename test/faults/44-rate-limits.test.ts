import { type FastifyInstance, fastify } from 'fastify';
import { Redis } from 'ioredis';
import t from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import type { Services } from '../../src/base/services.ts';
import { replyWithProblems } from '../../src/http/problem-replies.ts';
import { limits } from '../../src/limits/limits.ts';
import { minuteAt } from '../../src/redis/minute-counter.ts';
import { build, callBytes, cometChatIdOf, services, sign, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';
import { faulty } from './faulty.ts';

const as = async (sub: string) => ({ authorization: `Bearer ${await sign({ sub })}` });
const nobody = { authorization: 'Bearer nobody' };

t.test('a user has so many calls a minute, and is told what is left', async (t) => {
  const { put, served, refused, refusedAgain } = await faulty(t, {
    RATE_LIMIT_PER_MINUTE: '2',
    LOG_LEVEL: 'debug',
  });
  for (const left of [1, 0]) {
    const answer = await served(t, await put({ tags: [] }));
    t.equal(answer.headers.get('ratelimit-policy'), '"user";q=2;w=60');
    t.match(answer.headers.get('ratelimit'), new RegExp(`^"user";r=${left};t=([1-9]|[1-5]\\d|60)$`));
  }
  for (const isRefused of [refused, refusedAgain]) {
    const answer = await isRefused(t, await put({ tags: [] }), 429, 'rate-limited');
    t.equal(answer.headers.get('ratelimit-policy'), '"user";q=2;w=60');
    t.match(answer.headers.get('ratelimit'), /^"user";r=0;t=/);
    t.equal(answer.headers.get('retry-after'), answer.headers.get('ratelimit')?.split('t=')[1]);
  }
});

t.test('calls that end in an error count too', async (t) => {
  const { put, refused } = await faulty(t, { RATE_LIMIT_PER_MINUTE: '2' });
  await refused(t, await put({ tags: 1 }), 400, 'body-invalid');
  await refused(t, await put('no json'), 400, 'body-malformed');
  await refused(t, await put({ tags: [] }), 429, 'rate-limited');
});

t.test('many users behind one address do not starve one another', async (t) => {
  const { put, served, refused } = await faulty(t, { RATE_LIMIT_PER_MINUTE: '2' });
  const users = ['cometchat-uid-1', 'cometchat-uid-2', 'cometchat-uid-4'];
  for (const user of users) {
    for (const _ of [1, 2]) {
      await served(t, await put({ tags: [], conversationWith: 'cometchat-uid-3' }, await as(user)));
    }
  }
  await refused(t, await put({ tags: [] }, await as('cometchat-uid-1')), 429, 'rate-limited');
});

t.test('an address may fail so often a minute, in whatever way', async (t) => {
  const { put, raw, refused, refusedAgain, requests } = await faulty(t, {
    RATE_LIMIT_PER_MINUTE: '4',
    SESSION_COOKIE: 'session',
    LOG_LEVEL: 'debug',
  });
  const answer = await put({ tags: [] }, nobody);
  await refused(t, answer, 401, 'session-invalid');
  t.equal(answer.headers.get('ratelimit-policy'), '"address";q=4;w=60');
  await refused(t, await put({ tags: [] }, { authorization: '' }), 401, 'session-missing');
  // By hand, for fetch() sends an empty Authorization along.
  const forged = await raw(callBytes('Connection: close', 'Cookie: session=x'));
  await refused(t, forged, 403, 'csrf-rejected');
  await refused(t, await put({ tags: [] }, await as('Nobody')), 403, 'identity-unmapped');
  await refused(t, await put({ tags: [] }, nobody), 429, 'rate-limited');
  await refusedAgain(t, await put({ tags: [] }, { authorization: '' }));
  await refusedAgain(t, await raw(callBytes('Connection: close', 'Cookie: session=x')));
  t.ok(
    requests().every(({ address }) => address === '127.0.0.1'),
    'the log says whose',
  );
});

t.test('the log has the address only of those who have proven no session', async (t) => {
  const { put, get, requests } = await build(t, { RATE_LIMIT_PER_MINUTE: '1' });
  await put({ tags: [] });
  await put({ tags: [] });
  await get('/nothing');
  t.strictSame(
    requests().map(({ status }) => status),
    [200, 429, 404],
  );
  t.notOk(requests().some(({ address }) => address !== undefined));
});

t.test('who acts is counted, whoever the conversation is with', async (t) => {
  const env = { RATE_LIMIT_PER_MINUTE: '1', ON_BEHALF_OF_TEMPLATE: '{act.sub}' };
  const { put, served, refused } = await faulty(t, env);
  const agent = async (sub: string) => ({
    authorization: `Bearer ${await sign({ sub, act: { sub: 'cometchat-uid-4' } })}`,
  });
  await served(t, await put({ tags: [] }, await agent('cometchat-uid-3')));
  await refused(t, await put({ tags: [] }, await agent('cometchat-uid-2')), 429, 'rate-limited');
});

t.test('who is signed in does not pay for a bad neighbour', async (t) => {
  const { put, served, refused } = await faulty(t, { RATE_LIMIT_PER_MINUTE: '1' });
  await refused(t, await put({ tags: [] }, nobody), 401, 'session-invalid');
  await refused(t, await put({ tags: [] }, nobody), 429, 'rate-limited');
  await served(t, await put({ tags: [] }));
  const expired = { authorization: `Bearer ${await sign({ exp: 1 })}` };
  for (const _ of [1, 2]) await refused(t, await put({ tags: [] }, expired), 401, 'session-expired');
});

t.test('nor do the failures of those who are signed in count for their address', async (t) => {
  const { put, sandbox } = await build(t, { RATE_LIMIT_PER_MINUTE: '1' });
  sandbox.fault({ status: 403, body: { error: { code: 'ERR_NOT_A_MEMBER' } }, times: 3 });
  for (const user of ['cometchat-uid-1', 'cometchat-uid-2', 'cometchat-uid-4']) {
    const { json } = await put({ tags: [], conversationWith: 'cometchat-uid-3' }, await as(user));
    t.equal(json.code, 'not-a-member');
  }
});

t.test('nor does who was signed out', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  await redis.command('SET', 'revoked:a', '1');
  const { put, refused } = await faulty(t, { RATE_LIMIT_PER_MINUTE: '1', REDIS_URL: redis.url });
  const revoked = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
  for (const _ of [1, 2]) await refused(t, await put({ tags: [] }, revoked), 401, 'session-revoked');
});

t.test('a forged X-Forwarded-For is not another address', async (t) => {
  for (const TRUST_PROXY of ['10.0.0.0/8', undefined]) {
    const env = { RATE_LIMIT_PER_MINUTE: '2', TRUST_PROXY, LOG_LEVEL: 'debug' };
    const { put, refused, refusedAgain } = await faulty(t, env);
    const from = (address: string) =>
      put({ tags: [] }, { ...nobody, 'x-forwarded-for': address, 'x-real-ip': address });
    for (const n of [1, 2]) await refused(t, await from(`198.51.100.${n}`), 401, 'session-invalid');
    await refused(t, await from('198.51.100.3'), 429, 'rate-limited');
    await refusedAgain(t, await from('198.51.100.4'));
  }
});

t.test('a trusted load balancer’s word counts, and what the client wrote before it does not', async (t) => {
  const { put, refused, refusedAgain, requests } = await faulty(t, {
    RATE_LIMIT_PER_MINUTE: '1',
    TRUST_PROXY: '127.0.0.0/8',
    LOG_LEVEL: 'debug',
  });
  const from = (forwarded: string) => put({ tags: [] }, { ...nobody, 'x-forwarded-for': forwarded });
  const isNew = async (forwarded: string) => refused(t, await from(forwarded), 401, 'session-invalid');
  const isBeyond = async (forwarded: string) => refused(t, await from(forwarded), 429, 'rate-limited');
  const isKnown = async (forwarded: string) => refusedAgain(t, await from(forwarded));
  await isNew('198.51.100.1');
  t.match(requests().at(-1), { address: '198.51.100.1' });
  await isBeyond('198.51.100.1');
  await isKnown('203.0.113.9, 198.51.100.1');
  await isKnown('198.51.100.1, 127.0.0.1');
  await isKnown('::ffff:198.51.100.1');
  await isKnown('198.51.100.1:1234');
  t.match(requests().at(-1), { address: '198.51.100.1' });
  await isNew('198.51.100.2');
  // A household has a network of 2^64 addresses.
  await isNew('2001:db8:1:2::1');
  await isBeyond('2001:db8:1:2:ffff::9');
  await isKnown('[2001:db8:1:2::7]:443');
  await isNew('2001:db8:1:3::1');
  // What is no address is the load balancer's own.
  await isNew('unknown');
  await isBeyond('_hidden');
  t.match(requests().at(-1), { address: '127.0.0.1' });
});

t.test('replicas count together where they share a Redis', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  const env = { RATE_LIMIT_PER_MINUTE: '3', REDIS_URL: redis.url };
  const start = Date.now();
  const seams = { now: () => start };
  const replicas = [await build(t, env, { seams }), await build(t, env, { seams })];
  const statuses = [];
  for (const index of [0, 1, 0, 1, 0, 1]) statuses.push((await replicas[index]?.put({ tags: [] }))?.status);
  t.strictSame(statuses, [200, 200, 200, 429, 429, 429]);
  const failed = [];
  for (const index of [0, 1, 0, 1, 0])
    failed.push((await replicas[index]?.put({ tags: [] }, nobody))?.status);
  t.strictSame(failed, [401, 401, 401, 429, 429]);
  t.equal(((await redis.command('KEYS', 'rate:*')) as string[]).length, 2);
  for (const key of (await redis.command('KEYS', '*')) as string[]) {
    const ttl = Number(await redis.command('PTTL', key));
    t.ok(ttl > 0 && ttl <= 120_000, `${key} goes by itself`);
  }
});

/** An app whose one route is limited. A request is the user's whom its header `user` names, or without a session. */
async function limitedApp(perMinute: number, services: Services): Promise<FastifyInstance> {
  const app = fastify();
  replyWithProblems(app);
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    const { user } = request.headers;
    if (typeof user !== 'string') return;
    const id = cometChatIdOf(user);
    request.caller = { uid: id, onBehalfOf: id };
  });
  await app.register(async (scope) => {
    scope.addHook('onRequest', async ({ caller }) => {
      if (!caller) throw new ProblemError('session-missing');
    });
    await scope.register(limits, { perMinute, services });
    scope.get('/', async () => 'ok');
  });
  return app;
}

t.test('a clock that jumps locks nobody out for longer than a minute', async (t) => {
  for (const [headers, within] of [
    [{ user: 'me' }, 200],
    [{}, 401],
  ] as const) {
    let now = Date.parse('2026-11-23T12:00:10Z');
    const app = await limitedApp(1, services(undefined, { now: () => now }));
    const ask = async () => (await app.inject({ url: '/', headers })).statusCode;
    t.equal(await ask(), within);
    t.equal(await ask(), 429);
    for (const jump of [-3600_000, 7200_000, -86_400_000, 60_000]) {
      now += jump;
      t.equal(await ask(), within, `a jump of ${jump} ms`);
      const answer = await app.inject({ url: '/', headers });
      t.equal(answer.statusCode, 429);
      t.equal(answer.headers['retry-after'], '50');
    }
  }
});

t.test('the minute is the machine’s, where no clock is given', unlessInstalled('redis-server'), async (t) => {
  const server = await RedisServer.start(t);
  const redis = new Redis(server.url);
  t.teardown(() => redis.disconnect());
  const app = await limitedApp(9, services(redis));
  const before = minuteAt(Date.now()).number;
  t.equal((await app.inject({ url: '/', headers: { user: 'me' } })).statusCode, 200);
  const keys = await redis.keys('*');
  t.equal(keys.length, 1);
  t.match(keys[0], new RegExp(`^rate:v2:user:(${before}|${before + 1})$`));
  t.strictSame(await redis.hgetall(`${keys[0]}`), { me: '1', ':total': '1' });
});

t.test('requests that ask for nothing that is protected are not counted', async (t) => {
  const { get, raw } = await build(t, { RATE_LIMIT_PER_MINUTE: '1' });
  for (const _ of [1, 2, 3]) t.equal((await get('/livez')).status, 200);
  for (const _ of [1, 2, 3])
    t.match(await raw(callBytes('Connection: close').replace('PUT', 'GET')), / 405 /);
});
