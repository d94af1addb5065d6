import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { errors, type JWK } from 'jose';
import type { Reply } from '../base/http-client.ts';
import { itemsOf } from '../base/parse-list.ts';

/** A provider's key set has a few keys of some hundred bytes each. */
export const MAX_BYTES = 64 * 1024;

const LIMIT = { maxOutputLength: MAX_BYTES };
/** As much as HTTP allows (RFC 9659); a frame could ask for 128 MB. */
const ZSTD_WINDOW = { params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } };

const gunzip = promisify(zlib.gunzip);
const inflate = promisify(zlib.inflate);
const inflateRaw = promisify(zlib.inflateRaw);
const unbrotli = promisify(zlib.brotliDecompress);
const unzstd = promisify(zlib.zstdDecompress);

/** More only keep the gateway busy. */
const MAX_CODINGS = 2;

/**
 * By the name of the coding (RFC 9110, section 8.4.1). Some servers send one though nobody has said that it is welcome. Others label
 * plain text with what is none, such as `utf-8` or `aws-chunked`.
 */
const DECODERS = new Map<string, (body: Uint8Array) => Promise<Uint8Array>>([
  ['gzip', (body) => gunzip(body, LIMIT)],
  ['x-gzip', (body) => gunzip(body, LIMIT)],
  // Some servers leave the two bytes before the data out, whose first ends with an 8.
  ['deflate', (body) => (Number(body[0]) % 16 === 8 ? inflate(body, LIMIT) : inflateRaw(body, LIMIT))],
  ['br', (body) => unbrotli(body, LIMIT)],
  ['zstd', (body) => unzstd(body, { ...LIMIT, ...ZSTD_WINDOW })],
]);

/**
 * Reads a JSON Web Key Set (RFC 7517) out of a provider's reply. What is no key for signatures is left out.
 *
 * @throws Error whose code or name says why there is none
 */
export async function readKeySet({ status, headers, body }: Reply): Promise<{ keys: JWK[] }> {
  if (status !== 200) throw Object.assign(new Error('not 200'), { code: String(status) });
  const text = new TextDecoder('utf-8', { fatal: true }).decode(
    await decoded(body, headers['content-encoding']),
  );
  const { keys: members } = Object(JSON.parse(text));
  const keys = (Array.isArray(members) ? members : [])
    .filter(isObject)
    .map(normalised)
    .filter(isForSignatures);
  // A provider that has no key to sign with has lost them, and does not mean to sign everybody out.
  if (keys.length === 0) throw new errors.JWKSInvalid('it has no key for signatures');
  return { keys };
}

/** @param codings in the order in which they were applied */
async function decoded(body: Uint8Array, codings = ''): Promise<Uint8Array> {
  const decoders = itemsOf(codings).flatMap((name) => DECODERS.get(name.toLowerCase()) ?? []);
  if (decoders.length > MAX_CODINGS) throw Object.assign(new Error('too many'), { code: 'content_encoding' });
  let bytes = body;
  for (const decode of decoders.reverse()) bytes = await decode(bytes);
  return bytes;
}

const isObject = (value: unknown): value is JWK =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Some providers write a null for what is not there. EdDSA with this curve is what RFC 9864 calls Ed25519. */
function normalised(key: JWK): JWK {
  const { alg, ...others } = Object.fromEntries(Object.entries(key).filter(([, value]) => value !== null));
  const isEd25519 = others.crv === 'Ed25519' && (alg === 'EdDSA' || alg === 'Ed25519');
  return { ...others, ...(!isEd25519 && alg !== undefined && { alg }) } as JWK;
}

const isForSignatures = ({ kty, use = 'sig' }: JWK) => use === 'sig' && /^(?:RSA|EC|OKP)$/.test(String(kty));
