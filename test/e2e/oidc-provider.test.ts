import { once } from 'node:events';
import http from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Provider } from 'oidc-provider';
import t, { type Test } from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { freePort } from '../helpers/ports.ts';
import { plantToken } from '../helpers/secrets.ts';
import { AUDIENCE, ME } from '../helpers/tokens.ts';

/** The client's secret, and its name, which is the user too: a token of its own is the simplest there is. */
const CLIENT_SECRET = 'only-of-this-test';

async function privateKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
}

/** An OpenID provider at an address that stays, whoever answers there. */
class IdentityProvider {
  readonly port: number;
  #server: http.Server | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it with these keys; the first one signs. */
  async start(keys: JWK[]): Promise<void> {
    await this.stop();
    const provider = new Provider(this.issuer, {
      jwks: { keys: keys as never },
      clients: [
        {
          client_id: ME,
          client_secret: CLIENT_SECRET,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({
            scope: 'tags',
            audience: AUDIENCE,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 300,
            jwt: { sign: { alg: 'RS256', kid: keys[0]?.kid ?? '' } },
          }),
        },
      },
    });
    this.#server = http.createServer(provider.callback());
    await once(this.#server.listen(this.port, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    if (!this.#server?.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** A token as an app would get it. */
  async token(): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${ME}:${CLIENT_SECRET}`)}`, connection: 'close' },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'https://gateway.example' }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    return plantToken(token);
  }
}

async function identityProvider(t: Test): Promise<IdentityProvider> {
  const provider = new IdentityProvider(await freePort());
  t.teardown(() => provider.stop());
  return provider;
}

t.test(
  'an OpenID provider’s users get in while it rotates its keys and is down, and nobody else',
  async (t) => {
    const [first, second, foreign] = [
      await privateKey('first'),
      await privateKey('second'),
      await privateKey('first'),
    ];
    const provider = await identityProvider(t);
    await provider.start([first]);
    const { put, meets, served, refused } = await startGateway(t, {
      SESSION_SECRET: undefined,
      SESSION_JWKS_URL: `${provider.issuer}/jwks`,
      SESSION_ISSUER: provider.issuer,
    });
    const call = (token: string) => put({ tags: ['a'] }, { authorization: `Bearer ${token}` });
    const isForged = (token: string) =>
      refused(t, () => call(token), 401, 'session-invalid', { reason: 'signature' });

    const old = await provider.token();
    await served(t, () => call(old));

    await provider.start([second, first]);
    const rotated = await provider.token();
    t.not(rotated.split('.')[0], old.split('.')[0], 'another key signs');
    const moved = { 'attempts ok': 1, 'session_key_fetches ok': 1 };
    await meets(t, { answer: 200, calls: 1, line: { status: 200 }, moved }, () => call(rotated));
    await served(t, () => call(old));

    await provider.stop();
    await served(t, () => call(rotated));
    await served(t, () => call(old));

    // Somebody else's provider, with a key of the same name, at another address.
    const stranger = await identityProvider(t);
    await stranger.start([foreign]);
    await isForged(await stranger.token());

    // And one that claims to be ours: it stood at our address while the gateway was not looking.
    await provider.start([foreign]);
    const forged = await provider.token();
    await provider.stop();
    await isForged(forged);

    await provider.start([second, first]);
    const young = await provider.token();
    await served(t, () => call(young));
  },
);
