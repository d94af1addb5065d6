import t from 'tap';
import { MACHINE } from '../../src/base/services.ts';
import { minuteAt } from '../../src/redis/minute-counter.ts';
import { type Answer, callBytes } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { redisTest } from '../helpers/redis.ts';
import { bearer } from '../helpers/tokens.ts';
import { LEFT, limited } from './limited.ts';

t.test('a user has so many calls a minute, and is told what is left', async (t) => {
  const { served, isBeyond, setTags } = await limited(t, 2);
  const beyond = isBeyond('user');
  const answers = [await served(t), await served(t), await beyond(setTags), await beyond(setTags)];
  const told = answers.map(({ headers }) => [headers.get('ratelimit-policy'), headers.get('ratelimit')]);
  t.strictSame(
    told,
    [1, 0, 0, 0].map((left) => ['"user";q=2;w=60', `"user";r=${left};t=${LEFT}`]),
  );
});

t.test('calls that end in an error count too', async (t) => {
  const { put, refused, isBeyond, setTags } = await limited(t, 2);
  await refused(t, () => put({ tags: 1 }), 400, 'body-invalid');
  await refused(t, () => put('no json'), 400, 'body-malformed');
  await isBeyond('user')(setTags);
});

t.test('many users behind one address do not starve one another', async (t) => {
  const { as, served, isBeyond } = await limited(t, 2);
  const users = ['cometchat-uid-1', 'cometchat-uid-2', 'cometchat-uid-4'];
  for (const user of [...users, ...users]) await served(t, () => as(user));
  await isBeyond('user')(() => as('cometchat-uid-1'));
});

t.test('an agent has one limit, whomever it acts for', async (t) => {
  const { as, served, isBeyond } = await limited(t, 1, { ON_BEHALF_OF_TEMPLATE: '{act.sub}' });
  const act = { sub: 'cometchat-uid-4' };
  await served(t, () => as('cometchat-uid-1', { act }));
  await isBeyond('user')(() => as('cometchat-uid-2', { act }));
});

t.test('an address may fail so often a minute, in whatever way', async (t) => {
  const { put, raw, as, refused, isStranger, stranger, isBeyond, requests } = await limited(t, 4, {
    SESSION_COOKIE: 'session',
  });
  const nameless = () => put({ tags: [] }, { authorization: '' });
  // By hand, for fetch() sends an empty Authorization along.
  const forged = () => raw(callBytes('Connection: close', 'Cookie: session=x'));
  const { headers } = await isStranger(() => stranger());
  t.equal(headers.get('ratelimit-policy'), '"address";q=4;w=60');
  t.equal(headers.get('ratelimit'), `"address";r=3;t=${LEFT}`);
  await refused(t, nameless, 401, 'session-missing', { reason: 'missing' });
  await refused(t, forged, 403, 'csrf-rejected');
  await refused(t, () => as('Nobody'), 403, 'identity-unmapped');
  const beyond = isBeyond('address');
  await beyond(() => stranger(), 'malformed');
  await beyond(nameless, 'missing');
  await beyond(forged);
  t.ok(
    requests().every(({ address }) => address === '127.0.0.1'),
    'the log says whose',
  );
});

t.test('who is signed in does not pay for a bad neighbour, nor does who was', async (t) => {
  const { put, served, refused, stranger, isStranger, isBeyond } = await limited(t, 1);
  await isStranger(() => stranger());
  await isBeyond('address')(() => stranger(), 'malformed');
  await served(t);
  const expired = await bearer({ exp: 1 });
  for (const _ of [1, 2]) {
    await refused(t, () => put({ tags: [] }, expired), 401, 'session-expired', { reason: 'expired' });
  }
});

redisTest('who was signed out does not pay for a bad neighbour', async (t, redis) => {
  await redis.command('SET', 'revoked:a', '1');
  const { put, refused } = await limited(t, 1, { REDIS_URL: redis.url });
  const revoked = await bearer({ jti: 'a' });
  for (const _ of [1, 2]) {
    await refused(t, () => put({ tags: [] }, revoked), 401, 'session-revoked', { reason: 'revoked' });
  }
});

t.test('the failures of those who are signed in do not count for their address', async (t) => {
  const { as, sandbox } = await limited(t, 1);
  sandbox.fault({ status: 403, body: { error: { code: 'ERR_NOT_A_MEMBER' } }, times: 3 });
  for (const user of ['cometchat-uid-1', 'cometchat-uid-2', 'cometchat-uid-4']) {
    t.equal((await as(user)).json.code, 'not-a-member');
  }
});

t.test('requests that ask for nothing that is protected are not counted', async (t) => {
  const { get, raw, served } = await limited(t, 1);
  const wrongMethod = callBytes('Connection: close').replace('PUT', 'POST');
  for (const _ of [1, 2, 3]) {
    t.equal((await get('/livez')).status, 200);
    t.match(await raw(wrongMethod), / 405 /);
  }
  await served(t);
});

t.test('the log has the address only of those who have proven no session', async (t) => {
  const { setTags, get, requests } = await limited(t, 1);
  await setTags();
  await setTags();
  await get('/nothing');
  const lines = requests().map(({ status, address }) => [status, address]);
  t.strictSame(lines, [
    [200, undefined],
    [429, undefined],
    [404, undefined],
  ]);
});

t.test('a forged X-Forwarded-For is not another address', async (t) => {
  for (const TRUST_PROXY of ['10.0.0.0/8', undefined]) {
    const { stranger, isStranger, isBeyond } = await limited(t, 2, { TRUST_PROXY });
    const from = (address: string) => () => stranger({ 'x-forwarded-for': address, 'x-real-ip': address });
    for (const n of [1, 2]) await isStranger(from(`198.51.100.${n}`));
    await isBeyond('address')(from('198.51.100.3'), 'malformed');
    await isBeyond('address')(from('198.51.100.4'), 'malformed');
  }
});

t.test('a trusted load balancer’s word counts, and what the client wrote before it does not', async (t) => {
  const { stranger, isStranger, isBeyond, requests } = await limited(t, 1, { TRUST_PROXY: '127.0.0.0/8' });
  const from = (forwarded: string) => () => stranger({ 'x-forwarded-for': forwarded });
  const beyond = isBeyond('address');
  const isNew = (forwarded: string) => isStranger(from(forwarded));
  const isKnown = (forwarded: string) => beyond(from(forwarded), 'malformed');
  await isNew('198.51.100.1');
  t.match(requests().at(-1), { address: '198.51.100.1' });
  await isKnown('198.51.100.1');
  await isKnown('203.0.113.9, 198.51.100.1');
  await isKnown('198.51.100.1, 127.0.0.1');
  await isKnown('::ffff:198.51.100.1');
  await isKnown('198.51.100.1:1234');
  t.match(requests().at(-1), { address: '198.51.100.1' });
  await isNew('198.51.100.2');
  // A household has a network of 2^64 addresses.
  await isNew('2001:db8:1:2::1');
  await isKnown('2001:db8:1:2:ffff::9');
  await isKnown('[2001:db8:1:2::7]:443');
  await isNew('2001:db8:1:3::1');
  // What is no address is the load balancer's own.
  await isNew('unknown');
  await isKnown('_hidden');
  t.match(requests().at(-1), { address: '127.0.0.1' });
});

redisTest('replicas count together where they share a Redis', async (t, redis) => {
  const replicas = [
    await limited(t, 3, { REDIS_URL: redis.url }),
    await limited(t, 3, { REDIS_URL: redis.url }),
  ];
  const inTurns = [...replicas, ...replicas, ...replicas];
  const statuses = async (send: (gateway: (typeof inTurns)[number]) => Promise<Answer>) => {
    const found: number[] = [];
    for (const gateway of inTurns) found.push((await send(gateway)).status);
    return found;
  };
  t.strictSame(await statuses(({ setTags }) => setTags()), [200, 200, 200, 429, 429, 429]);
  t.strictSame(await statuses(({ stranger }) => stranger()), [401, 401, 401, 429, 429, 429]);
  t.equal(((await redis.command('KEYS', 'rate:*')) as string[]).length, 2);
  for (const key of (await redis.command('KEYS', '*')) as string[]) {
    const ttl = Number(await redis.command('PTTL', key));
    t.ok(ttl > 0 && ttl <= 120_000, `${key} goes by itself`);
  }
});

redisTest('the minute is that of the machine’s clock', async (t, redis) => {
  const { setTags } = await startGateway(t, { REDIS_URL: redis.url }, { seams: { now: MACHINE.now } });
  const before = minuteAt(Date.now()).number;
  t.equal((await setTags()).status, 200);
  const [key] = (await redis.command('KEYS', 'rate:*')) as string[];
  t.match(key, new RegExp(`^rate:v2:user:(${before}|${before + 1})$`));
});

t.test('a clock that jumps locks nobody out for longer than a minute', async (t) => {
  let now = Date.parse('2026-11-23T12:00:10Z');
  const env = { RATE_LIMIT_PER_MINUTE: '1' };
  const { setTags, put } = await startGateway(t, env, { seams: { now: () => now } });
  for (const jump of [0, -3600_000, 7200_000, -86_400_000, 60_000]) {
    now += jump;
    for (const [send, within] of [
      [setTags, 200],
      [() => put({ tags: [] }, { authorization: 'Bearer nobody' }), 401],
    ] as const) {
      t.equal((await send()).status, within, `after a jump of ${jump} ms`);
      const answer = await send();
      t.equal(answer.status, 429);
      t.equal(answer.headers.get('retry-after'), `${LEFT}`);
    }
  }
});
