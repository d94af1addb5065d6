import http from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Test } from 'tap';
import { listening } from './ports.ts';
import { signWith } from './tokens.ts';

/** What the issuer answers to whoever asks for its keys. */
export interface KeysReply {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** A key of the issuer's, and tokens that it has signed. */
export class IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
  readonly #privateKey: CryptoKey;

  private constructor(
    kid: string,
    alg: string,
    pair: { publicKey: CryptoKey; privateKey: CryptoKey },
    jwk: JWK,
  ) {
    this.kid = kid;
    this.alg = alg;
    this.publicKey = pair.publicKey;
    this.#privateKey = pair.privateKey;
    this.jwk = jwk;
  }

  static async create(kid: string, alg = 'ES256'): Promise<IssuerKey> {
    const pair = await generateKeyPair(alg, { extractable: true });
    return new IssuerKey(kid, alg, pair, { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
  }

  /** Signs a token as sign() of tokens.ts does. */
  sign(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    return signWith(this.#privateKey, { alg: this.alg, kid: this.kid, ...header }, claims);
  }
}

/**
 * Starts an issuer of one key for the length of a test.
 *
 * @returns `keys` are those that it publishes, `reply` what it answers instead, `fetches` how often it was
 *   asked; `env` makes a gateway take its tokens
 */
export async function issuer(t: Test, alg = 'RS256') {
  const key = await IssuerKey.create('first', alg);
  const state = { keys: [key], reply: undefined as KeysReply | undefined, fetches: 0 };
  const server = http.createServer((_request, response) => {
    state.fetches += 1;
    const {
      status = 200,
      headers = {},
      body = JSON.stringify({ keys: state.keys.map(({ jwk }) => jwk) }),
    } = state.reply ?? {};
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  const url = `http://127.0.0.1:${await listening(t, server)}/jwks.json`;
  const env = { SESSION_SECRET: undefined, SESSION_JWKS_URL: url };
  return Object.assign(state, { env, url, key, jwk: key.jwk, server });
}
