import { pino } from 'pino';
import t from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import type { Claims } from '../../src/identity/identity.ts';
import { Metrics } from '../../src/operations/metrics.ts';
import { jwksSessions } from '../../src/session/jwks.ts';
import { RemoteKeys } from '../../src/session/remote-keys.ts';
import { secretSessions } from '../../src/session/secret.ts';
import { rememberVerified } from '../../src/session/token-cache.ts';
import { AUDIENCE, ISSUER, ME, SECRET, sign } from '../helper.ts';
import { issuer } from '../issuer.ts';

/** A memory before a verifier that takes every token, and counts them; clock and keys are the test's. */
function memory(claims: Claims = { sub: ME, exp: 60 }) {
  const state = { seconds: 0, keys: {} as object | undefined, asked: 0, refusal: undefined as unknown };
  const verify = async () => {
    state.asked += 1;
    if (state.refusal) throw state.refusal;
    return claims;
  };
  const clock = () => new Date(state.seconds * 1000);
  return Object.assign(state, { claims, verify: rememberVerified(verify, () => state.keys, clock) });
}

t.test('a token is verified once, and another one for itself', async (t) => {
  const known = memory();
  for (const _ of [1, 2, 3]) t.equal(await known.verify('a'), known.claims);
  t.equal(known.asked, 1);
  await known.verify('A');
  t.equal(known.asked, 2);
});

t.test('to be remembered makes no session longer, nor lets it begin earlier', async (t) => {
  const known = memory({ exp: 160, nbf: 100, iat: 100 });
  known.seconds = 100;
  await known.verify('a');
  known.seconds = 159.999;
  t.equal(await known.verify('a'), known.claims);
  known.seconds = 160;
  await t.rejects(known.verify('a'), { code: 'session-expired' });
  known.seconds = 69;
  await t.rejects(known.verify('a'), { code: 'session-invalid' });
  known.seconds = 70;
  t.equal(await known.verify('a'), known.claims);
});

t.test('without a clock of its own it goes by the machine’s', async (t) => {
  const verify = rememberVerified(
    async () => ({ exp: Date.now() / 1000 - 1 }),
    () => undefined,
  );
  await verify('a');
  await t.rejects(verify('a'), { code: 'session-expired' });
});

t.test('other keys make strangers of all, and the former ones do not bring them back', async (t) => {
  const known = memory();
  const former = known.keys;
  for (const token of ['a', 'b']) await known.verify(token);
  known.refusal = new ProblemError('session-invalid');
  for (const keys of [{}, undefined, former]) {
    known.keys = keys;
    for (const token of ['a', 'b']) await t.rejects(known.verify(token), { code: 'session-invalid' });
  }
});

t.test('what was verified with keys that have gone meanwhile is not remembered', async (t) => {
  let keys = {};
  let asked = 0;
  const slow = Promise.withResolvers<void>();
  const verify = rememberVerified(
    async (token) => {
      asked += 1;
      if (token === 'slow') await slow.promise;
      return { exp: 60 };
    },
    () => keys,
    () => new Date(0),
  );
  const underWay = verify('slow');
  keys = {};
  // Another request is the first to see the new keys, before the former one is through.
  await verify('other');
  slow.resolve();
  await underWay;
  await verify('slow');
  t.equal(asked, 3, 'the slow one twice');
  await verify('slow');
  await verify('other');
  t.equal(asked, 3, 'and no more, with keys that have stayed');
});

t.test('a token that is refused is looked at each time', async (t) => {
  const known = memory();
  known.refusal = new ProblemError('session-invalid');
  for (const _ of [1, 2]) await t.rejects(known.verify('a'), { code: 'session-invalid' });
  t.equal(known.asked, 2);
  known.refusal = undefined;
  t.equal(await known.verify('a'), known.claims);
});

t.test('a token of more than 2,048 characters is verified each time', async (t) => {
  const known = memory();
  for (const _ of [1, 2]) await known.verify('x'.repeat(2048));
  t.equal(known.asked, 1);
  for (const _ of [1, 2]) await known.verify('x'.repeat(2049));
  t.equal(known.asked, 3);
});

t.test('10,000 tokens are remembered, and the one that was not seen for longest goes', async (t) => {
  const known = memory();
  for (let n = 0; n < 10_000; n += 1) await known.verify(`${n}`);
  await known.verify('0');
  t.equal(known.asked, 10_000);
  await known.verify('one more');
  for (const token of ['0', '2', '9999', 'one more']) await known.verify(token);
  t.equal(known.asked, 10_001);
  await known.verify('1');
  t.equal(known.asked, 10_002);
});

t.test('of each kind of JWT a signature is looked at once', async (t) => {
  const rules = { issuer: ISSUER, audience: AUDIENCE };
  const provider = await issuer(t);
  const log = pino({ level: 'silent' });
  const keys = new RemoteKeys(provider.url, { log, metrics: new Metrics() });
  t.teardown(() => keys.close());
  await keys.refresh();
  for (const [token, verify] of [
    [await sign(), secretSessions({ secrets: { current: [SECRET] }, ...rules })],
    [await provider.key.sign(), jwksSessions(rules, keys, log)],
  ] as const) {
    const signatures = t.capture(crypto.subtle, 'verify', crypto.subtle.verify);
    for (const _ of [1, 2, 3]) t.match(await verify(token), { sub: ME });
    // Fetched again and found the same: anybody can bring that about, with a `kid` of their own.
    await keys.refresh();
    t.match(await verify(token), { sub: ME });
    t.equal(signatures().length, 1);
  }
});
