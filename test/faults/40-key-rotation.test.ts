import { once } from 'node:events';
import net from 'node:net';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Metrics } from '../../src/operations/metrics.ts';
import { jwksSessions } from '../../src/session/jwks.ts';
import { RemoteKeys, SCHEDULE } from '../../src/session/remote-keys.ts';
import { AUDIENCE, ISSUER, ME } from '../helper.ts';
import { IssuerKey, issuer, type KeysReply } from '../issuer.ts';
import { faulty } from './faulty.ts';

/** A verifier whose clock and timers are the test's. */
async function rotating(t: Test, schedule: Partial<typeof SCHEDULE> = {}) {
  const provider = await issuer(t, 'ES256');
  const clock = { now: 0 };
  const edges = { log: pino({ level: 'silent' }), metrics: new Metrics() };
  const keys = new RemoteKeys(provider.url, edges, { ...SCHEDULE, ...schedule }, () => clock.now);
  t.teardown(() => keys.close());
  return {
    provider,
    clock,
    keys,
    verify: jwksSessions({ issuer: ISSUER, audience: AUDIENCE }, keys, edges.log),
  };
}

t.test('each algorithm of the list is taken', async (t) => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    const { env, key } = await issuer(t, alg);
    const { put, served } = await faulty(t, env);
    await served(t, await put({ tags: [] }, { authorization: `Bearer ${await key.sign()}` }));
  }
});

t.test('an algorithm that is not on the list is refused, though the provider has such a key', async (t) => {
  for (const alg of ['RS512', 'ES384']) {
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
    t.match(await verify(await next.sign()), { sub: ME });
    t.match(await verify(await provider.key.sign()), { sub: ME });
    provider.keys = [next];
    await keys.refresh();
    clock.now += SCHEDULE.cooldownMs;
    await t.rejects(verify(await provider.key.sign()), { code: 'session-invalid' });
    t.match(await verify(await next.sign()), { sub: ME });
  },
);

t.test('the keys are fetched again by themselves, sooner after a failure', async (t) => {
  const { provider, keys } = await rotating(t, { refreshMs: 20, cooldownMs: 10 });
  await keys.refresh();
  await once(provider.server, 'request');
  provider.reply = { status: 500 };
  await once(provider.server, 'request');
  await once(provider.server, 'request');
  keys.close();
});

t.test('many at once make one fetch', async (t) => {
  const { provider, verify } = await rotating(t);
  const token = await provider.key.sign();
  await Promise.all(Array.from({ length: 50 }, () => verify(token)));
  t.equal(provider.fetches, 1);
});

t.test('the last good keys hold while the provider is down, but not for ever', async (t) => {
  const { provider, clock, keys, verify } = await rotating(t);
  await keys.refresh();
  const token = await provider.key.sign({ exp: 9_999_999_999 });
  provider.server.close();
  provider.server.closeAllConnections();
  await keys.refresh();
  clock.now += SCHEDULE.maxStaleMs;
  t.match(await verify(token), { sub: ME });
  clock.now += 1;
  await t.rejects(verify(token), { code: 'session-store-unavailable' });
});

t.test('the log tells the day on which nobody gets in from the one on which the last keys do', async (t) => {
  const provider = await issuer(t);
  const lines: string[] = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line: string) => void lines.push(line.trim()) },
  );
  const keys = new RemoteKeys(provider.url, { log, metrics: new Metrics() });
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
    { body: JSON.stringify({ keys: [provider.jwk], padding: 'x'.repeat(70_000) }) },
    { headers: { 'content-encoding': 'gzip' }, body: 'no gzip' },
  ];
  for (const reply of garbage) {
    provider.reply = reply;
    await keys.refresh();
    t.match(await verify(token), { sub: ME }, JSON.stringify(reply).slice(0, 60));
  }
  t.equal(other.fetches, 0, 'redirects are not followed');
});

t.test('a key that is none, or too weak, verifies nothing', async (t) => {
  const good = await issuer(t);
  const weak = { ...good.jwk, n: Buffer.alloc(64, 0xab).toString('base64url') };
  const { n: _, ...incomplete } = good.jwk;
  for (const key of [
    weak,
    incomplete,
    { ...good.jwk, n: '!' },
    { ...good.jwk, kty: 'EC' },
    { kid: 'first' },
  ]) {
    const broken = await issuer(t);
    broken.reply = { body: JSON.stringify({ keys: [key] }) };
    const { put, refused, lines } = await faulty(t, broken.env);
    const answer = await put({ tags: [] }, { authorization: `Bearer ${await good.key.sign()}` });
    await refused(t, answer, 401, 'session-invalid');
    if (key === weak) t.match(lines.join(), /"level":"warn".*"a key of SESSION_JWKS_URL cannot be used"/);
  }
  const { put, refused } = await faulty(t, good.env);
  const forged = await (await IssuerKey.create('first', 'RS256')).sign();
  await refused(t, await put({ tags: [] }, { authorization: `Bearer ${forged}` }), 401, 'session-invalid');
});

t.test(
  'a provider that is down at the start: nobody gets in, and nobody is told to sign in again',
  async (t) => {
    const provider = await issuer(t);
    provider.reply = { status: 503 };
    const { put, refused, get, lines } = await faulty(t, provider.env);
    t.match(lines.join(), /"level":"error".*"type":"503".*SESSION_JWKS_URL could not be fetched/);
    t.equal((await get('/livez')).status, 200);
    const answer = await put({ tags: [] }, { authorization: `Bearer ${await provider.key.sign()}` });
    await refused(t, answer, 503, 'session-store-unavailable');
    t.match(answer.headers.get('retry-after'), /^(9|10)$/, 'until it is tried again');
  },
);

t.test('a provider that hangs holds up neither the start for long nor a known key', async (t) => {
  const server = net.createServer(() => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const edges = { log: pino({ level: 'silent' }), metrics: new Metrics() };
  const keys = new RemoteKeys(`http://127.0.0.1:${port}/`, edges, { ...SCHEDULE, timeoutMs: 50 });
  t.teardown(() => keys.close());
  await keys.refresh();
  const verify = jwksSessions({ issuer: ISSUER, audience: AUDIENCE }, keys, edges.log);
  await t.rejects(verify(await (await IssuerKey.create('any')).sign()), {
    code: 'session-store-unavailable',
  });
});
