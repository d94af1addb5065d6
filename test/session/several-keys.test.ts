import type { JWK } from 'jose';
import t from 'tap';
import { SCHEDULE } from '../../src/session/remote-keys.ts';
import { IssuerKey } from '../helpers/issuer.ts';
import { ME } from '../helpers/tokens.ts';
import { providerSessions } from './provider-sessions.ts';

const INVALID = { code: 'session-invalid', reason: 'signature' };
const CANNOT_BE_USED = [['warn', { error: { type: /\w/ } }, 'a key of SESSION_JWKS_URL cannot be used']];

const without = (key: JWK, ...names: string[]): JWK =>
  Object.fromEntries(Object.entries(key).filter(([name]) => !names.includes(name))) as JWK;

/** A provider of keys that are made up of others. */
async function publishing(t: Parameters<typeof providerSessions>[0], alg?: string) {
  const sessions = await providerSessions(t, alg === undefined ? {} : { alg });
  const { provider, keys } = sessions;
  return {
    ...sessions,
    async publish(...jwks: unknown[]) {
      provider.reply = { body: JSON.stringify({ keys: jwks }) };
      await keys.refresh();
    },
  };
}

const KINDS = ['RS256', 'PS384', 'ES256', 'EdDSA'];

for (const alg of KINDS) {
  t.test(`${alg}: each key that fits a token is tried`, async (t) => {
    const { provider, publish, verify } = await publishing(t, alg);
    const [a, b, c] = [
      provider.key,
      await IssuerKey.create('first', alg),
      await IssuerKey.create('first', alg),
    ];
    const unnamed = [a, b].map(({ jwk }) => without(jwk, 'kid', 'alg', 'use'));
    const twice = [a.jwk, a.jwk];
    for (const jwks of [
      [a.jwk, b.jwk],
      [b.jwk, a.jwk],
      unnamed,
      [...twice, b.jwk],
      [...unnamed, a.jwk, b.jwk],
    ]) {
      await publish(...jwks);
      const kid = jwks === unnamed ? undefined : 'first';
      for (const key of [a, b]) t.match(await verify(await key.sign({}, { kid })), { sub: ME });
      await t.rejects(verify(await c.sign({}, { kid })), INVALID);
    }
    await publish(...twice);
    for (const kid of ['first', undefined]) t.match(await verify(await a.sign({}, { kid })), { sub: ME });
    await t.rejects(verify(await b.sign()), INVALID);
  });
}

t.test('keys of other kinds with the same kid are no candidates', async (t) => {
  const { provider, publish, verify, logged } = await publishing(t);
  const others = await Promise.all(
    ['RS256', 'PS512', 'ES384', 'EdDSA'].map((alg) => IssuerKey.create('first', alg)),
  );
  const keys = [...others, provider.key];
  await publish(...keys.map(({ jwk }) => jwk));
  for (const kid of ['first', undefined]) {
    for (const key of keys) t.match(await verify(await key.sign({}, { kid })), { sub: ME }, key.alg);
  }
  t.strictSame(logged, []);
});

t.test('a key that cannot be used does not stop the others', async (t) => {
  const { provider, publish, verify, logged } = await publishing(t, 'RS256');
  const { key, jwk } = provider;
  const weak = { ...jwk, n: Buffer.alloc(64, 0xab).toString('base64url') };
  const unusable = [weak, { ...jwk, n: '!' }, without(jwk, 'n'), { ...jwk, d: 'AQAB' }, { ...jwk, e: 'AA' }];
  for (const bad of unusable) {
    for (const jwks of [
      [bad, jwk],
      [jwk, bad],
      [bad, weak, jwk, bad],
    ]) {
      await publish(...jwks);
      t.match(await verify(await key.sign()), { sub: ME });
      await t.rejects(verify(await (await IssuerKey.create('first', 'RS256')).sign()), INVALID);
    }
  }
  t.strictSame(logged, []);
  for (const jwks of [
    [weak, weak],
    [without(jwk, 'n'), without(jwk, 'n')],
  ]) {
    logged.length = 0;
    await publish(...jwks);
    await t.rejects(verify(await key.sign()), { code: 'session-invalid', reason: 'malformed' });
    t.match(logged, CANNOT_BE_USED);
  }
});

t.test('sixteen keys are tried, and not one more', async (t) => {
  const { provider, publish, verify } = await publishing(t);
  const others = await Promise.all(Array.from({ length: 16 }, () => IssuerKey.create('first')));
  const jwks = others.map(({ jwk }) => jwk);
  await publish(...jwks.slice(1), provider.jwk);
  t.match(await verify(await provider.key.sign()), { sub: ME });
  await publish(...jwks, provider.jwk);
  await t.rejects(verify(await provider.key.sign({ jti: 'another' })), INVALID);
});

t.test('what is wrong with the token itself is said, however many keys fit', async (t) => {
  const { provider, publish, verify } = await publishing(t);
  const other = await IssuerKey.create('first');
  await publish(other.jwk, provider.jwk);
  await t.rejects(verify(await provider.key.sign({ aud: 'else' })), {
    code: 'session-invalid',
    reason: 'claim',
  });
  await t.rejects(verify(await provider.key.sign({ exp: 1 })), { code: 'session-expired' });
  const [head, payload] = (await provider.key.sign()).split('.');
  await t.rejects(verify(`${head}.${payload}.!`), { code: 'session-invalid', reason: 'malformed' });
});

t.test('a key that was replaced under its kid, or without one, is found by its first token', async (t) => {
  const { provider, clock, keys, verify } = await providerSessions(t);
  for (const kid of ['first', undefined]) {
    await keys.refresh();
    const old = await provider.keys[0]?.sign({}, { kid });
    t.match(await verify(old ?? ''), { sub: ME });
    const next = await IssuerKey.create('first');
    provider.keys = [next];
    clock.now += SCHEDULE.cooldownMs;
    const { fetches } = provider;
    const tokens = await Promise.all([1, 2, 3].map((n) => next.sign({ n }, { kid })));
    for (const claims of await Promise.all(tokens.map(verify))) t.match(claims, { sub: ME });
    t.equal(provider.fetches, fetches + 1, 'many at once make one fetch');
    await t.rejects(verify(old ?? ''), INVALID);
    t.equal(provider.fetches, fetches + 1, 'which is not repeated within the cooldown');
  }
});

t.test('a forged token is refused as such while the provider is down', async (t) => {
  const { provider, clock, keys, verify } = await providerSessions(t);
  await keys.refresh();
  provider.reply = { status: 500 };
  clock.now += SCHEDULE.cooldownMs;
  const forged = await (await IssuerKey.create('first')).sign();
  for (const _ of [1, 2]) await t.rejects(verify(forged), INVALID);
  t.equal(provider.fetches, 2);
  t.match(await verify(await provider.key.sign()), { sub: ME });
});
