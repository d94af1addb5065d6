import { once } from 'node:events';
import net from 'node:net';
import { mock } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { jwksSessions } from '../../src/session/jwks.ts';
import { RemoteKeys, SCHEDULE } from '../../src/session/remote-keys.ts';
import { AUDIENCE, ISSUER, ME, services } from '../helper.ts';
import { IssuerKey, issuer, type KeysReply } from '../issuer.ts';
import { listening } from '../ports.ts';
import { faulty } from './faulty.ts';

/** A verifier whose clock and timers are the test's. */
async function rotating(t: Test, schedule: Partial<typeof SCHEDULE> = {}) {
  const provider = await issuer(t, 'ES256');
  const clock = { now: 0 };
  const { log, metrics } = services();
  const keys = new RemoteKeys(provider.url, { log, metrics }, { ...SCHEDULE, ...schedule }, () => clock.now);
  t.teardown(() => keys.close());
  return {
    provider,
    clock,
    keys,
    verify: jwksSessions({ issuer: ISSUER, audience: AUDIENCE }, keys, log),
  };
}

t.test('each algorithm of the list is accepted', async (t) => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    const { env, key } = await issuer(t, alg);
    const { put, served } = await faulty(t, env);
    await served(t, await put({ tags: [] }, { authorization: `Bearer ${await key.sign()}` }));
  }
});

t.test('an algorithm that is not on the list is refused, though the provider has such a key', async (t) => {
  for (const alg of ['RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512']) {
    const { env, key } = await issuer(t, alg);
    const { put, refused } = await faulty(t, env);
    const answer = await put({ tags: [] }, { authorization: `Bearer ${await key.sign()}` });
    await refused(t, answer, 401, 'session-invalid');
  }
});

t.test(
  'a new key is found when its first token comes, and the old one is good until it is withdrawn',
  async (t) => {
    const { provider, clock, keys, verify } = await rotating(t);
    await keys.refresh();
    const next = await IssuerKey.create('next');
    provider.keys = [next, provider.key];
    const [young, old] = [await next.sign(), await provider.key.sign()];
    for (const token of [young, old, young, old]) t.match(await verify(token), { sub: ME });
    provider.keys = [next];
    await keys.refresh();
    clock.now += SCHEDULE.cooldownMs;
    for (const token of [old, await provider.key.sign()]) {
      await t.rejects(verify(token), { code: 'session-invalid' });
    }
    for (const token of [young, await next.sign()]) t.match(await verify(token), { sub: ME });
  },
);

t.test('the times are those that the README tells', async (t) => {
  t.strictSame(SCHEDULE, {
    refreshMs: 300_000,
    cooldownMs: 10_000,
    maxStaleMs: 86_400_000,
    timeoutMs: 3000,
  });
});

/** The timers or the clock of the test's process, which go by tick() alone. */
function mocked(t: Test, api: 'setTimeout' | 'Date'): typeof mock.timers {
  mock.timers.enable({ apis: [api], now: Date.now() });
  t.teardown(() => mock.timers.reset());
  return mock.timers;
}

t.test('the keys are fetched again by themselves, until the gateway ends', async (t) => {
  const { provider, keys } = await rotating(t);
  const clock = mocked(t, 'setTimeout');
  await keys.refresh();
  clock.tick(SCHEDULE.refreshMs - 1);
  await fetch(provider.url);
  t.equal(provider.fetches, 2, 'theirs and mine');
  clock.tick(1);
  await once(provider.server, 'request');
  await keys.refresh();
  keys.close();
  clock.tick(10 * SCHEDULE.refreshMs);
  const { fetches } = provider;
  const last = keys.refresh();
  keys.close();
  await last;
  clock.tick(10 * SCHEDULE.refreshMs);
  await fetch(provider.url);
  t.equal(provider.fetches, fetches + 2, 'nor after one that was under way');
});

t.test('after a failure the next fetch comes sooner', async (t) => {
  const { provider, keys } = await rotating(t);
  const clock = mocked(t, 'setTimeout');
  provider.reply = { status: 500 };
  await keys.refresh();
  clock.tick(SCHEDULE.cooldownMs);
  await once(provider.server, 'request');
  await keys.refresh();
  provider.reply = undefined;
  await keys.refresh();
  const { fetches } = provider;
  clock.tick(SCHEDULE.refreshMs - 1);
  await fetch(provider.url);
  t.equal(provider.fetches, fetches + 1, 'and after a good one it does not');
});

t.test('keys that are fetched often are not fetched more and more often', async (t) => {
  const { provider, keys } = await rotating(t);
  const clock = mocked(t, 'setTimeout');
  for (const _ of [1, 2, 3, 4]) await keys.refresh();
  clock.tick(SCHEDULE.refreshMs);
  await keys.refresh();
  clock.tick(SCHEDULE.refreshMs - 1);
  await fetch(provider.url);
  t.equal(provider.fetches, 6, 'four, one more, and mine');
});

t.test('many at once make one fetch', async (t) => {
  const { provider, verify } = await rotating(t);
  const token = await provider.key.sign();
  await Promise.all(Array.from({ length: 50 }, () => verify(token)));
  t.equal(provider.fetches, 1);
});

t.test('the last good keys hold while the provider is down, but not for ever', async (t) => {
  const { provider, clock, keys, verify } = await rotating(t);
  const date = mocked(t, 'Date');
  /** jose knows the age of the keys by the date, and RemoteKeys that of its last fetch by its own clock. */
  const pass = (ms: number) => {
    date.tick(ms);
    clock.now += ms;
  };
  await keys.refresh();
  const token = await provider.key.sign({ exp: 9_999_999_999 });
  provider.server.close();
  provider.server.closeAllConnections();
  await keys.refresh();
  pass(SCHEDULE.maxStaleMs - 1);
  for (const _ of [1, 2]) t.match(await verify(token), { sub: ME });
  pass(1);
  for (const _ of [1, 2]) await t.rejects(verify(token), { code: 'session-store-unavailable' });
});

t.test('end to end: a token that was good is none any more when its key is withdrawn', async (t) => {
  const provider = await issuer(t, 'ES256');
  const { put, served, refused } = await faulty(t, provider.env);
  const authorization = `Bearer ${await provider.key.sign()}`;
  for (const _ of [1, 2]) await served(t, await put({ tags: [] }, { authorization }));
  const next = await IssuerKey.create('next');
  provider.keys = [next];
  // Its first token has the keys fetched.
  await served(t, await put({ tags: [] }, { authorization: `Bearer ${await next.sign()}` }));
  await refused(t, await put({ tags: [] }, { authorization }), 401, 'session-invalid');
});

t.test('the log tells the day on which nobody gets in from the one on which the last keys do', async (t) => {
  const provider = await issuer(t);
  const lines: string[] = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line: string) => void lines.push(line.trim()) },
  );
  const keys = new RemoteKeys(provider.url, { log, metrics: services().metrics });
  t.teardown(() => keys.close());
  const bad = { status: 500 };
  for (const reply of [bad, undefined, bad, undefined, undefined]) {
    provider.reply = reply;
    await keys.refresh();
  }
  const failed = '"error":{"type":"500"},"msg":"the keys of SESSION_JWKS_URL could not be fetched"';
  const back = '{"level":30,"msg":"the keys of SESSION_JWKS_URL are there again"}';
  t.strictSame(lines, [`{"level":50,${failed}}`, back, `{"level":40,${failed}}`, back]);
});

t.test('whatever is no key set leaves the last good keys in place', async (t) => {
  const { provider, keys, verify } = await rotating(t);
  await keys.refresh();
  const token = await provider.key.sign();
  const other = await issuer(t);
  // With a key of the same name, so that it shows whether the set was accepted.
  const set = JSON.stringify({ keys: [{ ...other.jwk, kid: 'first' }] });
  const garbage: KeysReply[] = [
    { status: 500, body: '{"keys":[]}' },
    { status: 204, body: '' },
    { status: 302, headers: { location: other.url } },
    { status: 301, headers: { location: '/else' } },
    { body: '' },
    { body: 'garbage' },
    { body: 'null' },
    { body: '[]' },
    { body: '{}' },
    { body: '{"keys":{}}' },
    { body: '{"keys":[]}' },
    { body: '{"keys":["key"]}' },
    { body: '{"keys":[{}]}' },
    { body: JSON.stringify({ keys: [{ ...other.jwk, kid: 'first', use: 'enc' }] }) },
    { body: '{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"first"}]}' },
    { body: set.replace('{', `{"padding":"${'x'.repeat(70_000)}",`) },
    { headers: { 'content-encoding': 'gzip' }, body: gzipSync(set) },
    { body: Buffer.concat([Buffer.from('{"\xff":1,', 'latin1'), Buffer.from(set.slice(1))]) },
    { status: 500, body: set },
    { status: 203, body: set },
  ];
  for (const reply of garbage) {
    provider.reply = reply;
    await keys.refresh();
    t.match(await verify(token), { sub: ME }, JSON.stringify(reply).slice(0, 60));
  }
  t.equal(other.fetches, 0, 'redirects are not followed');
});

t.test('a provider may have many keys', async (t) => {
  const { provider, keys, verify } = await rotating(t);
  provider.keys = await Promise.all(
    Array.from({ length: 50 }, (_, index) => IssuerKey.create(`key-${index}`)),
  );
  await keys.refresh();
  t.match(await verify((await provider.keys.at(-1)?.sign()) ?? ''), { sub: ME });
});

t.test('a key that is none, or too weak, verifies nothing', async (t) => {
  const good = await issuer(t);
  const weak = { ...good.jwk, n: Buffer.alloc(64, 0xab).toString('base64url') };
  const { n: _, ...incomplete } = good.jwk;
  for (const key of [weak, incomplete, { ...good.jwk, n: '!' }, { ...good.jwk, kty: 'EC' }]) {
    const broken = await issuer(t);
    broken.reply = { body: JSON.stringify({ keys: [key] }) };
    const { put, refused, lines } = await faulty(t, broken.env);
    const { fetches } = broken;
    const answer = await put({ tags: [] }, { authorization: `Bearer ${await good.key.sign()}` });
    await refused(t, answer, 401, 'session-invalid');
    if (key === weak) t.equal(broken.fetches, fetches, 'which is not asked for again');
    if (key === weak) t.match(lines.join(), /"level":"warn".*"a key of SESSION_JWKS_URL cannot be used"/);
  }
  const { put, refused } = await faulty(t, good.env);
  const forged = await (await IssuerKey.create('first', 'RS256')).sign();
  await refused(t, await put({ tags: [] }, { authorization: `Bearer ${forged}` }), 401, 'session-invalid');
});

t.test('a provider that is down at the start: nobody gets in, and nobody has to sign in again', async (t) => {
  const provider = await issuer(t);
  provider.reply = { status: 503 };
  const { put, refused, get, lines } = await faulty(t, provider.env);
  t.match(lines.join(), /"level":"error".*"type":"503".*SESSION_JWKS_URL could not be fetched/);
  t.equal((await get('/livez')).status, 200);
  const answer = await put({ tags: [] }, { authorization: `Bearer ${await provider.key.sign()}` });
  await refused(t, answer, 503, 'session-store-unavailable');
  t.match(answer.headers.get('retry-after'), /^(9|10)$/, 'until the next fetch');
});

t.test('a provider that hangs delays neither the start for long nor a known key', async (t) => {
  const server = net.createServer(() => {});
  const port = await listening(t, server);
  const { log, metrics } = services();
  const keys = new RemoteKeys(`http://127.0.0.1:${port}/`, { log, metrics }, { ...SCHEDULE, timeoutMs: 50 });
  t.teardown(() => keys.close());
  await keys.refresh();
  const verify = jwksSessions({ issuer: ISSUER, audience: AUDIENCE }, keys, log);
  await t.rejects(verify(await (await IssuerKey.create('any')).sign()), {
    code: 'session-store-unavailable',
  });
});
