import t from 'tap';
import { SCHEDULE } from '../../src/session/remote-keys.ts';
import { IssuerKey, issuer, type KeysReply } from '../helpers/issuer.ts';
import { ME } from '../helpers/tokens.ts';
import { providerSessions } from './provider-sessions.ts';
import { tokenGateway } from './token-gateway.ts';

t.test('an algorithm is accepted or not, whatever keys the provider has', async (t) => {
  const accepted = [
    ...['RS256', 'RS384', 'RS512'],
    ...['PS256', 'PS384', 'PS512'],
    ...['ES256', 'ES384', 'ES512'],
    ...['EdDSA', 'Ed25519'],
  ];
  const provider = await issuer(t, 'ES256');
  provider.keys = await Promise.all([...accepted, 'ML-DSA-44'].map((alg) => IssuerKey.create(alg, alg)));
  const { accepts, rejects } = await tokenGateway(t, provider.env);
  for (const key of provider.keys) {
    if (accepted.includes(key.alg)) await accepts(await key.sign());
    else await rejects(await key.sign(), 'algorithm');
  }
});

t.test('Ed25519 is another name of EdDSA, whichever the key has', async (t) => {
  const { provider, keys, verify } = await providerSessions(t, { alg: 'EdDSA' });
  const { alg: _, ...unnamed } = provider.jwk;
  for (const jwk of [unnamed, { ...unnamed, alg: 'EdDSA' }, { ...unnamed, alg: 'Ed25519' }]) {
    provider.reply = { body: JSON.stringify({ keys: [jwk] }) };
    await keys.refresh();
    for (const alg of ['EdDSA', 'Ed25519'])
      t.match(await verify(await provider.key.sign({}, { alg })), { sub: ME });
  }
});

t.test('a new key is found by its first token, and an old one is good until it is withdrawn', async (t) => {
  const { provider, clock, keys, verify } = await providerSessions(t);
  await keys.refresh();
  const [second, third] = [await IssuerKey.create('second'), await IssuerKey.create('third')];
  const [oldToken, token] = [await provider.key.sign(), await second.sign()];
  t.match(await verify(oldToken), { sub: ME });
  provider.keys = [second, provider.key];
  for (const each of [token, oldToken, token, oldToken]) t.match(await verify(each), { sub: ME });
  provider.keys = [third, second];
  clock.now += SCHEDULE.cooldownMs;
  // Its first token has the keys fetched.
  t.match(await verify(await third.sign()), { sub: ME });
  for (const withdrawn of [oldToken, await provider.key.sign()]) {
    await t.rejects(verify(withdrawn), { code: 'session-invalid', reason: 'unknown_key' });
  }
  for (const each of [token, await second.sign()]) t.match(await verify(each), { sub: ME });
  provider.keys = [third];
  await keys.refresh();
  await t.rejects(verify(token), { code: 'session-invalid', reason: 'unknown_key' });
});

t.test('a reply that is no key set leaves the last good keys in use', async (t) => {
  const { provider, keys, verify } = await providerSessions(t);
  await keys.refresh();
  const token = await provider.key.sign();
  const other = await issuer(t, 'ES256');
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
  const { provider, keys, verify } = await providerSessions(t);
  provider.keys = await Promise.all(
    Array.from({ length: 50 }, (_, index) => IssuerKey.create(`key-${index}`)),
  );
  await keys.refresh();
  t.match(await verify((await provider.keys.at(-1)?.sign()) ?? ''), { sub: ME });
});

t.test('a key that is broken or too weak verifies nothing', async (t) => {
  const { provider, keys, verify, logged } = await providerSessions(t, { alg: 'RS256' });
  const weak = { ...provider.jwk, n: Buffer.alloc(64, 0xab).toString('base64url') };
  const { n: _, ...incomplete } = provider.jwk;
  const token = await provider.key.sign();
  for (const [key, reason] of [
    [weak, 'malformed'],
    [incomplete, 'malformed'],
    [{ ...provider.jwk, n: '!' }, 'malformed'],
    [{ ...provider.jwk, kty: 'EC' }, 'unknown_key'],
  ] as const) {
    logged.length = 0;
    provider.reply = { body: JSON.stringify({ keys: [key] }) };
    await keys.refresh();
    const { fetches } = provider;
    await t.rejects(verify(token), { code: 'session-invalid', reason });
    if (reason !== 'malformed') continue;
    t.equal(provider.fetches, fetches, 'which is not asked for again');
    t.match(logged, [['warn', { error: { type: /\w/ } }, 'a key of SESSION_JWKS_URL cannot be used']]);
  }
});
