import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { MAX_BYTES, readKeySet } from '../../src/session/key-set.ts';
import { IssuerKey, issuer } from '../helpers/issuer.ts';
import { tokenGateway } from './token-gateway.ts';

const CODINGS = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;

const { jwk } = await IssuerKey.create('first');
const read = (body: Uint8Array | string, encoding?: string) =>
  readKeySet({
    status: 200,
    headers: encoding === undefined ? {} : { 'content-encoding': encoding },
    body: Buffer.from(body),
  });
const setOf = (...keys: unknown[]) => JSON.stringify({ keys });

t.test('a compressed key set is read, in any coding', async (t) => {
  const provider = await issuer(t, 'ES256');
  const set = setOf(provider.jwk);
  for (const [coding, compress] of Object.entries(CODINGS)) {
    provider.reply = { headers: { 'content-encoding': coding }, body: compress(set) };
    const { accepts } = await tokenGateway(t, provider.env);
    await accepts(await provider.key.sign());
  }
});

t.test('the names of codings are taken as servers write them', async (t) => {
  for (const name of ['GZIP', ' gzip ', 'X-Gzip'])
    t.match(await read(gzipSync(setOf(jwk)), name), { keys: [jwk] });
  t.match(await read(gzipSync(gzipSync(setOf(jwk))), 'gzip, gzip'), { keys: [jwk] });
  t.match(await read(gzipSync(setOf(jwk)), 'identity, gzip,'), { keys: [jwk] });
  // What S3 and others put on a file that is not compressed.
  for (const name of ['', 'identity', undefined, 'utf-8', 'none', 'aws-chunked', 'binary'])
    t.match(await read(setOf(jwk), name), { keys: [jwk] });
  t.match(await read(deflateRawSync(setOf(jwk)), 'deflate'), { keys: [jwk] }, 'a deflate without its header');
});

t.test('what is not of its coding is no key set', async (t) => {
  const set = setOf(jwk);
  for (const [coding, compress] of Object.entries(CODINGS)) {
    const whole = compress(set);
    for (const body of [set, '', whole.subarray(0, -8), Buffer.alloc(100, 0x78)])
      await t.rejects(read(body, coding));
  }
  await t.rejects(read(gzipSync(set), 'gzip, gzip'), { code: 'Z_DATA_ERROR' });
  const thrice = gzipSync(gzipSync(gzipSync(set)));
  await t.rejects(read(thrice, 'gzip, gzip, gzip'), { code: 'content_encoding' });
  for (const coding of ['compress', 'aes128gcm', '*', 'constructor']) {
    await t.rejects(read(gzipSync(set), coding), TypeError);
  }
  await t.rejects(read(gzipSync(set)), TypeError, 'a compressed one that does not say so');
});

t.test('a small reply that unpacks to a large one is given up', async (t) => {
  const padded = (bytes: number) => setOf(jwk).padEnd(bytes);
  for (const [coding, compress] of Object.entries(CODINGS)) {
    t.match(await read(compress(padded(MAX_BYTES)), coding), { keys: [jwk] });
    for (const bytes of [MAX_BYTES + 1, 50_000_000]) {
      await t.rejects(read(compress(padded(bytes)), coding), { code: 'ERR_BUFFER_TOO_LARGE' }, coding);
    }
  }
});

t.test('a byte order mark and any media type are fine', async (t) => {
  const provider = await issuer(t, 'ES256');
  provider.reply = {
    headers: { 'content-type': 'text/plain; charset=utf-16' },
    body: `\u{feff}\n${setOf(provider.jwk)}\r\n`,
  };
  const { accepts } = await tokenGateway(t, provider.env);
  await accepts(await provider.key.sign());
});

t.test('what is no key for signatures is left out, and does not spoil the others', async (t) => {
  const others = [
    ...[null, 'key', 7, [], [jwk], {}, { kty: 'new' }, { kty: 7 }, { kty: 'oct', k: 'c2VjcmV0' }],
    ...[
      { ...jwk, use: 'enc' },
      { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' },
    ],
  ];
  t.strictSame(await read(setOf(...others, jwk, ...others)), { keys: [jwk] });
  await t.rejects(read(setOf(...others)), { code: 'ERR_JWKS_INVALID' });
  for (const set of ['null', '[]', '7', '"keys"', '{}', '{"keys":{}}', `{"keys":${JSON.stringify(jwk)}}`]) {
    await t.rejects(read(set), { code: 'ERR_JWKS_INVALID' }, set);
  }
  const discovery = '{"issuer":"https://login.example","jwks_uri":"https://login.example/keys"}';
  await t.rejects(read(discovery), { code: 'ERR_JWKS_INVALID' }, 'the address of the keys is inside');
});

t.test('a member that is null is not there, and members that nobody knows do not matter', async (t) => {
  const provider = await issuer(t, 'ES256');
  const { kid: _, alg: _alg, use: _use, ...bare } = provider.jwk;
  const none = { kid: null, alg: null, use: null, key_ops: null, x5c: null, x5t: null, ext: null };
  const certified = {
    ...provider.jwk,
    x5c: ['no certificate'],
    x5t: 'x',
    x5u: 'https://else.example',
    exp: 1,
  };
  for (const key of [bare, { ...bare, ...none }, certified]) {
    provider.reply = { body: setOf(key) };
    const { accepts } = await tokenGateway(t, provider.env);
    await accepts(await provider.key.sign({}, key === certified ? {} : { kid: undefined }));
  }
});
