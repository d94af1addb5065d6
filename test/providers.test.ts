import t from 'tap';
import { loadConfig } from '../src/config/config.ts';
import { identityMapper } from '../src/identity/identity.ts';
import { pageOf, variablesIn } from './helpers/docs-page.ts';
import { API_KEY } from './helpers/secrets.ts';

const page = pageOf('providers.md');
const uuid = '3f2b8f0e-5f0e-4c7e-9d5e-0a1b2c3d4e5f';

/** The ids that a token of each provider has, and the uid that becomes of them. */
const TOKENS: Record<string, readonly [claims: Record<string, unknown>, uid: string]> = {
  Auth0: [{ sub: 'auth0|507f1f77', 'https://app.example.com/chat_uid': 'me' }, 'me'],
  'Amazon Cognito': [{ sub: uuid }, uuid],
  Clerk: [{ sub: 'user_2NNEqL2nrIRdJ194ndJqAHwEfxC', chat_uid: 'me' }, 'me'],
  Firebase: [{ sub: 'aB3dE5fG7hI9kL1mN3oP5qR7sT9u', chat_uid: 'me' }, 'me'],
  Google: [{ sub: '110248495921238986420' }, '110248495921238986420'],
  Keycloak: [{ sub: uuid }, uuid],
  'Microsoft Entra ID': [{ sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', oid: uuid }, uuid],
  Okta: [{ sub: 'me@example.com', uid: '00u1a2b3C4EXAMPLE', chat_uid: 'me' }, 'me'],
  Supabase: [{ sub: uuid }, uuid],
};

/** The example of each provider, as variables. */
const examples = [...page.matchAll(/^## ([^\n]*)\n\n```sh\n(.*?)```/gms)].map(([, name = '', lines = '']) => {
  return { name, env: variablesIn(lines) };
});
const load = (env: Record<string, string>) =>
  loadConfig({ COMETCHAT_BASE_URL: 'https://chat.example/v3', COMETCHAT_API_KEY: API_KEY, ...env });

t.test('each provider’s example is fit to start with, and is what the table says', async (t) => {
  t.strictSame(
    examples.map(({ name }) => name),
    Object.keys(TOKENS),
  );
  for (const { name, env } of examples) {
    const { session } = load(env);
    t.equal(session.kind, 'jwks', name);
    const row = page.split('\n').find((line) => line.startsWith(`| [${name}](#`));
    const cells = [...(row ?? '').matchAll(/`([^`]+)`/g)].map(([, cell]) => cell);
    t.strictSame(
      cells,
      [
        env.SESSION_JWKS_URL,
        env.SESSION_ISSUER,
        env.SESSION_AUDIENCE,
        env.SESSION_AUDIENCE_CLAIM ?? 'aud',
        env.UID_TEMPLATE,
      ],
      name,
    );
  }
});

t.test(
  'each provider’s tokens give a uid by its example, and by {sub} only where the page says so',
  async (t) => {
    for (const { name, env } of examples) {
      const [claims, uid] = TOKENS[name] ?? [];
      const mapped = (template = env.UID_TEMPLATE) =>
        identityMapper(load({ ...env, UID_TEMPLATE: `${template}` }).identity)(claims ?? {}).uid;
      t.equal(mapped(), uid, name);
      if (env.UID_TEMPLATE !== '{sub}') t.throws(() => mapped('{sub}'), { code: 'identity-unmapped' }, name);
    }
    const twoTenants = identityMapper(load({ ...examples[0]?.env, UID_TEMPLATE: '{tid}_{oid}' }).identity);
    t.equal(twoTenants({ tid: uuid, oid: uuid }).uid, `${uuid}_${uuid}`);
  },
);
