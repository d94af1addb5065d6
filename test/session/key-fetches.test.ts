import { once } from 'node:events';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { SCHEDULE } from '../../src/session/remote-keys.ts';
import { isProblem } from '../helpers/answers.ts';
import { IssuerKey, issuer } from '../helpers/issuer.ts';
import { ME } from '../helpers/tokens.ts';
import { providerSessions } from './provider-sessions.ts';
import { tokenGateway } from './token-gateway.ts';

t.test('the times are those that docs/sessions.md tells', async (t) => {
  t.strictSame(SCHEDULE, {
    refreshMs: 300_000,
    cooldownMs: 10_000,
    maxStaleMs: 86_400_000,
    timeoutMs: 3000,
  });
});

t.test('the keys are fetched at the start, and once more for an unknown key', async (t) => {
  const provider = await issuer(t, 'ES256');
  const { accepts, rejects } = await tokenGateway(t, provider.env);
  t.equal(provider.fetches, 1);
  const token = await (await IssuerKey.create('unknown')).sign();
  await rejects(token, 'unknown_key', { fetches: 1 });
  await rejects(token, 'unknown_key');
  await accepts(await provider.key.sign());
  t.equal(provider.fetches, 2);
});

t.test('a thousand tokens of an unknown key make one fetch', async (t) => {
  const { provider, verify } = await providerSessions(t);
  const token = await (await IssuerKey.create('unknown')).sign();
  for (let batch = 0; batch < 10; batch += 1) {
    const tokens = Array.from({ length: 100 }, () => verify(token));
    const results = await Promise.allSettled(tokens);
    const reasons = results.map((result) => result.status === 'rejected' && result.reason.reason);
    t.strictSame(new Set(reasons), new Set(['unknown_key']));
  }
  t.equal(provider.fetches, 1);
});

t.test('many good tokens at once make one fetch', async (t) => {
  const { provider, verify } = await providerSessions(t);
  const token = await provider.key.sign();
  await Promise.all(Array.from({ length: 50 }, () => verify(token)));
  t.equal(provider.fetches, 1);
});

t.test('the next fetch for an unknown key waits for the cooldown, after a failure too', async (t) => {
  const { provider, clock, keys, verify, counts } = await providerSessions(t);
  const token = await (await IssuerKey.create('unknown')).sign();
  const isUnknown = () => t.rejects(verify(token), { code: 'session-invalid', reason: 'unknown_key' });
  const isUnchecked = (retryAfter: number) =>
    t.rejects(verify(token), {
      code: 'session-store-unavailable',
      reason: 'unchecked',
      headers: { 'retry-after': String(retryAfter) },
    });

  await isUnknown();
  t.equal(provider.fetches, 1);
  clock.now += SCHEDULE.cooldownMs - 1;
  await isUnknown();
  t.equal(provider.fetches, 1, 'a millisecond before its end');
  clock.now += 1;
  provider.reply = { status: 500 };
  await isUnchecked(10);
  t.equal(provider.fetches, 2, 'it is over');
  clock.now += SCHEDULE.cooldownMs - 1;
  await isUnchecked(1);
  t.equal(provider.fetches, 2, 'the failed fetch counts');
  clock.now += 1;
  await keys.refresh();
  t.equal(provider.fetches, 3);
  await isUnchecked(10);
  t.equal(provider.fetches, 3, 'a failed fetch that no token asked for counts, too');
  clock.now += SCHEDULE.cooldownMs;
  provider.reply = undefined;
  await isUnknown();
  t.equal(provider.fetches, 4);
  t.match(await counts(), { 'session_key_fetches ok': 2, 'session_key_fetches failed': 2 });
});

/** The timers or the clock of the test's process, which go by tick() alone. */
function mocked(t: Test, api: 'setTimeout' | 'Date'): typeof mock.timers {
  mock.timers.enable({ apis: [api], now: Date.now() });
  t.teardown(() => mock.timers.reset());
  return mock.timers;
}

t.test('the keys are fetched again every five minutes, until the gateway closes', async (t) => {
  const { provider, keys } = await providerSessions(t);
  const clock = mocked(t, 'setTimeout');
  await keys.refresh();
  clock.tick(SCHEDULE.refreshMs - 1);
  await fetch(provider.url);
  t.equal(provider.fetches, 2, 'the first one, and the test’s own');
  clock.tick(1);
  await once(provider.server, 'request');
  await keys.refresh();
  keys.close();
  clock.tick(10 * SCHEDULE.refreshMs);
  await fetch(provider.url);
  t.equal(provider.fetches, 4, 'the second one, and the test’s own');
});

t.test('a fetch that the gateway’s end cuts off is the last one, and no fault', async (t) => {
  const { provider, keys, logged } = await providerSessions(t);
  const clock = mocked(t, 'setTimeout');
  const last = keys.refresh();
  await once(provider.server, 'request');
  keys.close();
  await last;
  clock.tick(10 * SCHEDULE.refreshMs);
  await fetch(provider.url);
  t.equal(provider.fetches, 2, 'that one, and the test’s own');
  t.strictSame(logged, []);
});

t.test('after a failure the next fetch comes sooner', async (t) => {
  const { provider, keys } = await providerSessions(t);
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
  const { provider, keys } = await providerSessions(t);
  const clock = mocked(t, 'setTimeout');
  for (const _ of [1, 2, 3, 4]) await keys.refresh();
  clock.tick(SCHEDULE.refreshMs);
  await keys.refresh();
  clock.tick(SCHEDULE.refreshMs - 1);
  await fetch(provider.url);
  t.equal(provider.fetches, 6, 'four, one more, and the test’s own');
});

t.test('the last good keys are used for a day while the provider is down', async (t) => {
  const { provider, clock, keys, verify } = await providerSessions(t);
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

t.test('a provider that is down at the start: nobody gets in, and nobody has to sign in again', async (t) => {
  const provider = await issuer(t, 'ES256');
  provider.reply = { status: 503 };
  const { send, get, sandbox, requests, counts } = await tokenGateway(t, provider.env);
  t.equal((await get('/livez')).status, 200);
  const answer = await send(await provider.key.sign());
  isProblem(t, answer, 503, 'session-store-unavailable');
  // The seconds until the next fetch, by the machine's clock.
  t.match(answer.headers.get('retry-after'), /^(\d|10)$/);
  t.equal(sandbox.received, 0);
  t.match(requests().at(-1), { level: 'warn', error: { type: 'ERR_JWKS_NO_MATCHING_KEY' } });
  t.match(await counts(), { 'sessions_refused unchecked': 1, 'session_key_fetches failed': 1 });
});

t.test('a provider that hangs is given up, and delays no token of a known key', async (t) => {
  const never = await providerSessions(t, { schedule: { timeoutMs: 50 } });
  never.provider.server.removeAllListeners('request');
  await never.keys.refresh();
  await t.rejects(never.verify(await never.provider.key.sign()), { code: 'session-store-unavailable' });

  const { provider, keys, verify } = await providerSessions(t);
  await keys.refresh();
  provider.server.removeAllListeners('request');
  const hanging = keys.refresh();
  t.match(await verify(await provider.key.sign()), { sub: ME });
  provider.server.closeAllConnections();
  await hanging;
});

t.test('the log tells a start without keys from an outage during which the last keys are used', async (t) => {
  const { provider, keys, logged } = await providerSessions(t);
  const bad = { status: 500 };
  for (const reply of [bad, undefined, bad, undefined, undefined]) {
    provider.reply = reply;
    await keys.refresh();
  }
  const failed = [{ error: { type: '500' } }, 'the keys of SESSION_JWKS_URL could not be fetched'];
  const back = ['info', 'the keys of SESSION_JWKS_URL are there again'];
  t.strictSame(logged, [['error', ...failed], back, ['warn', ...failed], back]);
});
