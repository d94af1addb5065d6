import t from 'tap';
import type { Claims } from '../../src/base/caller.ts';
import { ProblemError } from '../../src/base/problem-error.ts';
import { secretSessions } from '../../src/session/secret.ts';
import { withTokenCache } from '../../src/session/token-cache.ts';
import { SECRET } from '../helpers/secrets.ts';
import { ME, RULES, sign } from '../helpers/tokens.ts';
import { providerSessions } from './provider-sessions.ts';
import { throwing } from './throwing.ts';

/** A cache before a verifier that accepts every token, and counts them; clock and keys are the test's. */
function cache(claims: Claims = { sub: ME, exp: 60 }) {
  const state = {
    seconds: 0,
    keys: {} as object | undefined,
    asked: 0,
    error: undefined as ProblemError | undefined,
  };
  const verify = async () => {
    state.asked += 1;
    return state.error ?? claims;
  };
  const clock = () => new Date(state.seconds * 1000);
  return Object.assign(state, { claims, verify: throwing(withTokenCache(verify, () => state.keys, clock)) });
}

t.test('a token is verified once, and another token once more', async (t) => {
  const cached = cache();
  for (const _ of [1, 2, 3]) t.equal(await cached.verify('a'), cached.claims);
  t.equal(cached.asked, 1);
  await cached.verify('A');
  t.equal(cached.asked, 2);
});

t.test('the cache makes no session longer, nor lets it begin earlier', async (t) => {
  const cached = cache({ exp: 160, nbf: 100, iat: 100 });
  cached.seconds = 100;
  await cached.verify('a');
  cached.seconds = 159.999;
  t.equal(await cached.verify('a'), cached.claims);
  cached.seconds = 160;
  await t.rejects(cached.verify('a'), { code: 'session-expired' });
  cached.seconds = 69;
  await t.rejects(cached.verify('a'), { code: 'session-invalid' });
  cached.seconds = 70;
  t.equal(await cached.verify('a'), cached.claims);
});

t.test('without a clock it takes the machine’s', async (t) => {
  const verify = throwing(
    withTokenCache(
      async () => ({ exp: Date.now() / 1000 - 1 }),
      () => undefined,
    ),
  );
  await verify('a');
  await t.rejects(verify('a'), { code: 'session-expired' });
});

t.test('other keys empty the cache, and the old ones do not fill it again', async (t) => {
  const cached = cache();
  const old = cached.keys;
  for (const token of ['a', 'b']) await cached.verify(token);
  cached.error = new ProblemError('session-invalid');
  for (const keys of [{}, undefined, old]) {
    cached.keys = keys;
    for (const token of ['a', 'b']) await t.rejects(cached.verify(token), { code: 'session-invalid' });
  }
});

t.test('a token that was verified with keys that are gone meanwhile is not cached', async (t) => {
  let keys = {};
  let asked = 0;
  const slow = Promise.withResolvers<void>();
  const verify = withTokenCache(
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
  // Another request is the first to see the new keys, before the first one is verified.
  await verify('other');
  slow.resolve();
  await underWay;
  await verify('slow');
  t.equal(asked, 3, 'the slow one twice');
  await verify('slow');
  await verify('other');
  t.equal(asked, 3, 'and no more, with keys that have stayed');
});

t.test('a token that is refused is verified each time', async (t) => {
  const cached = cache();
  cached.error = new ProblemError('session-invalid');
  for (const _ of [1, 2]) await t.rejects(cached.verify('a'), { code: 'session-invalid' });
  t.equal(cached.asked, 2);
  cached.error = undefined;
  t.equal(await cached.verify('a'), cached.claims);
});

t.test('a token of more than 2,048 characters is verified each time', async (t) => {
  const cached = cache();
  for (const _ of [1, 2]) await cached.verify('x'.repeat(2048));
  t.equal(cached.asked, 1);
  for (const _ of [1, 2]) await cached.verify('x'.repeat(2049));
  t.equal(cached.asked, 3);
});

t.test('10,000 tokens are cached, and the one that was not seen for longest goes', async (t) => {
  const cached = cache();
  for (let n = 0; n < 10_000; n += 1) await cached.verify(`${n}`);
  await cached.verify('0');
  t.equal(cached.asked, 10_000);
  await cached.verify('one more');
  for (const token of ['0', '2', '9999', 'one more']) await cached.verify(token);
  t.equal(cached.asked, 10_001);
  await cached.verify('1');
  t.equal(cached.asked, 10_002);
});

t.test(
  'each kind of JWT is cached, and keys that were fetched again unchanged do not empty the cache',
  async (t) => {
    const { provider, keys, verify: verifyByProvider } = await providerSessions(t);
    await keys.refresh();
    const secrets = { current: [SECRET] };
    for (const [token, verify] of [
      [await sign(), throwing(secretSessions({ secrets, ...RULES }))],
      [await provider.key.sign(), verifyByProvider],
    ] as const) {
      const signatures = t.capture(crypto.subtle, 'verify', crypto.subtle.verify);
      for (const _ of [1, 2, 3]) t.match(await verify(token), { sub: ME });
      // Anybody can bring such a fetch about, with a `kid` of their own.
      await keys.refresh();
      t.match(await verify(token), { sub: ME });
      t.equal(signatures().length, 1);
    }
  },
);
