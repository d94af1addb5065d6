import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { callBytes, ME, planted, sign, unlessInstalled } from '../helper.ts';
import { issuer } from '../issuer.ts';
import { RedisServer } from '../redis-server.ts';
import { faulty } from './faulty.ts';

const now = () => Math.floor(Date.now() / 1000);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const TOKEN = 'opaque-token-of-a-test==';
const KEY = `session:${createHash('sha256').update(TOKEN).digest('hex')}`;
planted.add(TOKEN);

/** A gateway whose sessions are in a Redis of their own. */
async function opaque(t: Test, env: Record<string, string> = {}) {
  const redis = await RedisServer.start(t);
  const kind = { SESSION_SECRET: undefined, SESSION_STORE: 'redis', REDIS_URL: redis.url };
  return { redis, ...(await faulty(t, { ...kind, ...env })) };
}

t.test('a signed-out JWT is refused by the next request', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  const { put, served, refused } = await faulty(t, { REDIS_URL: redis.url });
  const token = await sign({ jti: 'session-1' });
  await served(t, await put({ tags: [] }, bearer(token)));
  await redis.command('SET', 'revoked:session-1', '1', 'EX', 60);
  const answer = await put({ tags: [] }, bearer(token));
  await refused(t, answer, 401, 'session-revoked');
  t.match(answer.headers.get('www-authenticate'), /error="invalid_token", error_description="revoked"/);
  await served(t, await put({ tags: [] }, bearer(await sign({ jti: 'session-2' }))));
  await redis.command('DEL', 'revoked:session-1');
  await served(t, await put({ tags: [] }, bearer(token)));
});

t.test('a signed-out JWT of an identity provider is, too', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  const { env, key } = await issuer(t);
  const { put, served, refused } = await faulty(t, { ...env, REDIS_URL: redis.url });
  const token = await key.sign({ jti: 'session-1' });
  await served(t, await put({ tags: [] }, bearer(token)));
  await redis.command('SET', 'revoked:session-1', '1');
  await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-revoked');
});

t.test('a jti is text, else nobody could revoke it', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  const { put, served, refused } = await faulty(t, { REDIS_URL: redis.url });
  for (const jti of [1, null, ['a'], { a: 1 }, true]) {
    await refused(t, await put({ tags: [] }, bearer(await sign({ jti }))), 401, 'session-invalid');
  }
  await served(t, await put({ tags: [] }, bearer(await sign())));
});

t.test(
  'an opaque session is good as long as it stands in Redis',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, put, served, refused } = await opaque(t);
    await refused(t, await put({ tags: [] }, bearer(TOKEN)), 401, 'session-invalid');
    await redis.command('SET', KEY, JSON.stringify({ sub: ME, exp: now() + 60 }));
    await served(t, await put({ tags: [] }, bearer(TOKEN)));
    await redis.command('DEL', KEY);
    await refused(t, await put({ tags: [] }, bearer(TOKEN)), 401, 'session-invalid');
    await redis.command('SET', KEY, JSON.stringify({ sub: ME }), 'EX', 60);
    await served(t, await put({ tags: [] }, bearer(TOKEN)));
    await redis.command('PEXPIRE', KEY, 0);
    await refused(t, await put({ tags: [] }, bearer(TOKEN)), 401, 'session-invalid');
  },
);

t.test('an opaque session has an end, a beginning and claims', unlessInstalled('redis-server'), async (t) => {
  const { redis, put, refused } = await opaque(t);
  const expired = JSON.stringify({ sub: ME, exp: now() - 1 });
  await redis.command('SET', KEY, expired, 'EX', 60);
  await refused(t, await put({ tags: [] }, bearer(TOKEN)), 401, 'session-expired');
  await redis.command('SET', KEY, JSON.stringify({ sub: ME }));
  await refused(t, await put({ tags: [] }, bearer(TOKEN)), 401, 'session-invalid');
  for (const [text, detail] of [
    [`{"sub":"${ME}","exp":"tomorrow"}`, /The claim "exp"/],
    [`{"sub":"${ME}","exp":"9999999999"}`, /The claim "exp"/],
    [`{"sub":"${ME}","exp":1e999}`, /The claim "exp"/],
    [`{"sub":"${ME}","nbf":${now() + 40}}`, /The claim "nbf"/],
    ['null', /is no JSON object\.$/],
    ['[]', /is no JSON object\.$/],
    ['"text"', /is no JSON object\.$/],
    ['{"sub":', /is no JSON object\.$/],
    ['', /is no JSON object\.$/],
  ] as const) {
    await redis.command('SET', KEY, text, 'EX', 60);
    const answer = await refused(t, await put({ tags: [] }, bearer(TOKEN)), 401, 'session-invalid');
    t.match(answer.json.detail, detail, text);
  }
  await redis.command('DEL', KEY);
  await redis.command('RPUSH', KEY, 'no text at all');
  await refused(t, await put({ tags: [] }, bearer(TOKEN)), 503, 'session-store-unavailable');
});

t.test('the token itself is no key to what stands in Redis', unlessInstalled('redis-server'), async (t) => {
  const { redis, put, refused } = await opaque(t);
  for (const key of [TOKEN, `session:${TOKEN}`, `session:${KEY}`]) {
    await redis.command('SET', key, JSON.stringify({ sub: ME, exp: now() + 60 }));
  }
  for (const token of [TOKEN, KEY.slice('session:'.length)]) {
    await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-invalid');
  }
});

t.test(
  'a cookie of other characters than a token’s is none, whatever is stored',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, raw, served, refused } = await opaque(t, { SESSION_COOKIE: 'session' });
    const ours = [
      'Connection: close',
      'Content-Type: application/json',
      'X-Requested-With: x',
      'Sec-Fetch-Site: same-origin',
    ];
    for (const value of [TOKEN, `"${TOKEN}"`, 'a b', 'a,b', 'é']) {
      const key = `session:${createHash('sha256').update(value).digest('hex')}`;
      await redis.command('SET', key, JSON.stringify({ sub: ME }), 'EX', 60);
      const answer = await raw(callBytes(...ours, `Cookie: session=${value}`));
      if (value === TOKEN) await served(t, answer);
      else await refused(t, answer, 401, 'session-invalid');
    }
  },
);

t.test('claims that name no CometChat user make nobody', async (t) => {
  const { put, refused } = await faulty(t);
  for (const sub of ['Alice', 'me@app.example', undefined, null, 1.5, true, ['a'], { a: 1 }]) {
    await refused(t, await put({ tags: [] }, bearer(await sign({ sub }))), 403, 'identity-unmapped');
  }
});
