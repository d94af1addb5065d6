import { writeFileSync } from 'node:fs';
import { decodeJwt } from 'jose';
import t from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { identityMapper } from '../../src/identity/identity.ts';
import { REASONS, refused } from '../../src/session/reasons.ts';
import { bash, blocksIn, codeIn, pageOf, sectionOf, tableIn, variablesIn } from '../helpers/docs-page.ts';
import { environment } from '../helpers/environment.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { freePort } from '../helpers/ports.ts';
import { opaqueSessions, redisTest, sessionKey } from '../helpers/redis.ts';
import { makePassword } from '../helpers/redis-server.ts';
import { plantToken, SECRET } from '../helpers/secrets.ts';
import { ME, OTHER, sign } from '../helpers/tokens.ts';
import { firstLineOf, resultOf } from './snippets.ts';

const section = (heading: string) => sectionOf(pageOf('sessions.md'), heading);
const SECRET_KIND = section('## secret: your back end signs');
const JWKS_KIND = section('## jwks: an identity provider signs');
const REDIS_KIND = section('## redis: opaque tokens');

/** The code in a section's fences, where there is one of a language after the other. */
const code = (text: string, language: string, number = 0): string => {
  const found = blocksIn(text, language)[number];
  if (found === undefined) throw new Error(`the section has no such ${language}`);
  return found;
};
/** The variables of the gateway that a section sets. */
const variables = (text: string) => variablesIn(code(text, 'sh'));

const withToken = (token: unknown) => ({ authorization: `Bearer ${token}` });
const read = ({ getTags }: Gateway, token: unknown) => getTags({ conversationWith: OTHER }, withToken(token));
/** The code of the problem that a token gets, or undefined. */
const problemOf = async (gateway: Gateway, token: unknown) => (await read(gateway, token)).json.code;

/** Two tokens that the back end has signed. */
async function signInWithSecret(): Promise<[string, string]> {
  const signIn = `signIn({ id: '${ME}' })`;
  const env = { SESSION_SECRET: SECRET };
  const tokens = await resultOf(code(SECRET_KIND, 'js'), `Promise.all([${signIn}, ${signIn}])`, env);
  for (const token of tokens as string[]) plantToken(token);
  return tokens as [string, string];
}
const secretKind = { ...variables(SECRET_KIND), SESSION_SECRET: SECRET };

t.test('kind secret: the gateway takes what the back end signs', async (t) => {
  const gateway = await startGateway(t, secretKind);
  const [token] = await signInWithSecret();
  t.equal((await read(gateway, token)).status, 200);
});

testWith('npm', 'kind secret: the gateway takes what npm run token signs', async (t) => {
  const gateway = await startGateway(t, secretKind);
  const file = `${t.testdir()}/gateway.env`;
  writeFileSync(
    file,
    Object.entries(secretKind)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
  );
  const lines = code(SECRET_KIND, 'sh', 1).replace('./gateway.env', file);
  const token = plantToken(await bash(`${lines}\nprintf %s "$TOKEN"`));
  t.equal((await read(gateway, token)).status, 200);
});

t.test(
  'kind jwks: the gateway takes a token of the page’s provider, and the page shows what is in it',
  async (t) => {
    const port = `${await freePort()}`;
    const token = plantToken(await firstLineOf(t, code(JWKS_KIND, 'js').replace('4100', port)));
    const [, url = ''] = /`SESSION_JWKS_URL=(\S+)`/.exec(JWKS_KIND) ?? [];
    const env = { ...variables(JWKS_KIND), SESSION_JWKS_URL: url.replace('4100', port) };
    const gateway = await startGateway(t, { SESSION_SECRET: undefined, ...env });
    t.equal((await read(gateway, token)).status, 200);
    const shown = await bash(code(JWKS_KIND, 'sh', 1), { TOKEN: token });
    t.match(shown, `chat_uid: '${ME}'`);
  },
);

redisTest('kind redis: the back end signs in and out, everywhere too', async (t, redis) => {
  const { REDIS_URL: _, ...env } = variables(REDIS_KIND);
  t.equal(env.SESSION_STORE, 'redis');
  const gateway = await startGateway(t, { ...env, ...opaqueSessions(redis.url) });
  const rights = `~session:* +set +del +info ${/`(~sessions-of:[^`]+)`/.exec(REDIS_KIND)?.[1]}`;
  const password = makePassword();
  await redis.command('ACL', 'SETUSER', 'backend', 'on', `>${password}`, ...rights.split(' '));
  const asBackEnd = { REDIS_URL: redis.url.replace(/\/\/.*@/, `//backend:${password}@`) };
  const run = (expression: string) => resultOf(code(REDIS_KIND, 'js'), expression, asBackEnd);
  const signIns = Array(3).fill(`signIn({ id: '${ME}' })`);
  const tokens = (await run(`Promise.all([${signIns}])`)) as string[];
  const problems = () => Promise.all(tokens.map((token) => problemOf(gateway, token)));
  t.strictSame(await problems(), [undefined, undefined, undefined]);
  await run(`signOut('${tokens[0]}')`);
  t.strictSame(await problems(), ['session-invalid', undefined, undefined]);
  await run(`signOutEverywhere({ id: '${ME}' })`);
  t.strictSame(await problems(), Array(3).fill('session-invalid'));
  const key = sessionKey(`${tokens[0]}`);
  await redis.command('SET', key, JSON.stringify({ sub: ME, exp: 1 }));
  t.equal(await problemOf(gateway, tokens[0] ?? ''), 'session-expired', 'with an exp that is over');
  await redis.command('DEL', key);
  t.strictSame(await redis.command('KEYS', '*sess*'), [], 'nothing is left of them');
});

redisTest('kind redis: the gateway takes what redis-cli stores', async (t, redis) => {
  const gateway = await startGateway(t, opaqueSessions(redis.url));
  const lines = `${code(REDIS_KIND, 'sh', 1)}\nprintf %s "$TOKEN"`;
  // redis-cli takes no password without a user.
  const url = redis.url.replace('//:', '//default:');
  const [reply, token] = (await bash(lines, { REDIS_URL: url })).split('\n');
  t.equal(reply, 'OK');
  t.equal((await read(gateway, token)).status, 200);
});

redisTest('JWTs are signed out, one and everywhere', async (t, redis) => {
  const gateway = await startGateway(t, { ...secretKind, REDIS_URL: redis.url });
  const run = (expression: string) =>
    resultOf(code(section('## Signing out'), 'js'), expression, { REDIS_URL: redis.url });
  const [one, other] = await signInWithSecret();
  const { jti, exp } = decodeJwt(one);
  await run(`signOut(${JSON.stringify({ jti, exp })})`);
  t.equal(await problemOf(gateway, one), 'session-revoked');
  t.equal(await problemOf(gateway, other), undefined);
  await run(`signOutEverywhere('${ME}')`);
  t.equal(await problemOf(gateway, other), 'session-revoked');
  await redis.command('SET', `revoked-before:${ME}`, String(Date.now()));
  t.equal(await problemOf(gateway, other), 'session-store-unavailable', 'milliseconds');
  await run(`signOutEverywhere('${ME}')`);
  for (const key of [`revoked:${jti}`, `revoked-before:${ME}`]) {
    t.ok(Number(await redis.command('TTL', key)) > 3600, `${key} outlives it`);
  }
});

t.test(
  'a page of another origin sends the cookie with the page’s code, and the header is needed',
  async (t) => {
    const cookies = section('## Cookies');
    const gateway = await startGateway(t, variables(cookies));
    const [, name = ''] = /^Set-Cookie: ([^=]+)=/.exec(code(cookies, 'http')) ?? [];
    const browser = `const send = fetch;
    let status;
    globalThis.fetch = async (url, { headers, ...init }) => {
      const target = url.replace('https://chat-gateway.example.com', process.env.GATEWAY);
      const cookie = init.credentials === 'include' && process.env.COOKIE;
      ({ status } = await send(target, { ...init, headers: { ...headers, cookie, origin: process.env.ORIGIN } }));
    };`;
    const env = {
      GATEWAY: gateway.origin,
      COOKIE: `${name}=${await sign()}`,
      ORIGIN: `${variables(cookies).CORS_ORIGINS}`,
    };
    const statusOf = (text: string, its = env) => resultOf(browser + text, 'status', its);
    const call = code(cookies, 'js');
    t.equal(await statusOf(call), 200);
    t.equal(await statusOf(call.replace(", 'X-Requested-With': 'fetch'", '')), 403);
    t.equal(await statusOf(call, { ...env, ORIGIN: 'https://evil.example.com' }), 403);
    const shown = await bash(code(cookies, 'sh', 1), { GATEWAY: gateway.origin, TOKEN: await sign() });
    t.match(JSON.parse(shown), { pagination: { page: 1 } }, 'and curl');
  },
);

t.test('each template gives the uid that the page says', async (t) => {
  const rows = tableIn(section('## User mapping'), 'template', 'claims', 'uid');
  const unquoted = (cell = '') => cell.replaceAll('`', '');
  for (const [template, claims, uid] of rows.map((cells) => cells.map(unquoted))) {
    const { identity } = loadConfig({ ...environment('http://127.0.0.1/v3'), UID_TEMPLATE: template });
    const mapped = () => identityMapper(identity)(JSON.parse(`${claims}`)).uid;
    if (uid === 'refused') t.throws(mapped, { code: 'identity-unmapped' }, `${template} of ${claims}`);
    else t.equal(mapped(), uid, `${template} of ${claims}`);
  }
});

t.test('the page lists every reason, with the problem of it', async (t) => {
  const rows = tableIn(section('## What is refused and why'), 'reason', 'code', 'what to check');
  t.strictSame(
    rows.map(([reason = '', problem = '']) => [...codeIn(reason), ...codeIn(problem)]),
    REASONS.map((reason) => [reason, refused(reason).code]),
  );
});
