import t, { type Test } from 'tap';
import { callBytes } from '../helpers/answers.ts';
import { bulk, fakeRedis } from '../helpers/fake-redis.ts';
import { issuer } from '../helpers/issuer.ts';
import { opaqueSessions, type RedisServer, redisTest, sessionKey } from '../helpers/redis.ts';
import { planted } from '../helpers/secrets.ts';
import { ME, sign } from '../helpers/tokens.ts';
import { tokenGateway } from './token-gateway.ts';

const now = () => Math.floor(Date.now() / 1000);
const TOKEN = 'opaque-token-of-a-test==';
const KEY = sessionKey(TOKEN);
planted.add(TOKEN);

/** A gateway whose sessions are in this Redis. */
const opaque = (t: Test, redis: RedisServer, env: Record<string, string> = {}) =>
  tokenGateway(t, { ...opaqueSessions(redis.url), ...env });

redisTest('a JWT that was revoked is refused by the next request', async (t, redis) => {
  const { accepts, rejects } = await tokenGateway(t, { REDIS_URL: redis.url });
  const token = await sign({ jti: 'session-1' });
  await accepts(token);
  await redis.command('SET', 'revoked:session-1', '1', 'EX', 60);
  const answer = await rejects(token, 'revoked', { code: 'session-revoked' });
  t.match(answer.headers.get('www-authenticate'), /error="invalid_token", error_description="revoked"/);
  await accepts(await sign({ jti: 'session-2' }));
  await redis.command('DEL', 'revoked:session-1');
  await accepts(token);
});

redisTest('a JWT of an identity provider that was revoked is refused, too', async (t, redis) => {
  const { env, key } = await issuer(t, 'ES256');
  const { accepts, rejects } = await tokenGateway(t, { ...env, REDIS_URL: redis.url });
  const token = await key.sign({ jti: 'session-1' });
  await accepts(token);
  await redis.command('SET', 'revoked:session-1', '1');
  await rejects(token, 'revoked', { code: 'session-revoked' });
});

redisTest('a JWT whose jti is no text is refused, since nobody could revoke it', async (t, redis) => {
  const { accepts, rejects } = await tokenGateway(t, { REDIS_URL: redis.url });
  for (const jti of [1, null, ['a'], { a: 1 }, true]) await rejects(await sign({ jti }), 'claim');
  await accepts(await sign());
});

redisTest('an opaque session is good as long as it is in Redis', async (t, redis) => {
  const { accepts, rejects } = await opaque(t, redis);
  await rejects(TOKEN, 'unknown');
  await redis.command('SET', KEY, JSON.stringify({ sub: ME, exp: now() + 60 }));
  await accepts(TOKEN);
  await redis.command('DEL', KEY);
  await rejects(TOKEN, 'unknown');
  await redis.command('SET', KEY, JSON.stringify({ sub: ME }), 'EX', 60);
  await accepts(TOKEN);
  await redis.command('PEXPIRE', KEY, 0);
  await rejects(TOKEN, 'unknown');
});

redisTest('an opaque session needs an end, a beginning that is over, and claims', async (t, redis) => {
  const { send, rejects, refused } = await opaque(t, redis);
  await redis.command('SET', KEY, JSON.stringify({ sub: ME, exp: now() - 1 }), 'EX', 60);
  await rejects(TOKEN, 'expired', { code: 'session-expired' });
  for (const claims of [{ sub: ME }, { sub: ME, exp: null }]) {
    await redis.command('SET', KEY, JSON.stringify(claims));
    const endless = await rejects(TOKEN, 'claim');
    t.match(endless.json.detail, /with no TTL/);
  }
  for (const [text, reason, detail] of [
    [`{"sub":"${ME}","exp":"tomorrow"}`, 'claim', /The claim "exp"/],
    [`{"sub":"${ME}","exp":"9999999999"}`, 'claim', /The claim "exp"/],
    [`{"sub":"${ME}","exp":1e999}`, 'claim', /The claim "exp"/],
    [`{"sub":"${ME}","exp":${Date.now() + 60_000}}`, 'claim', /The claim "exp" .* in milliseconds/],
    [`{"sub":"${ME}","nbf":${now() + 120}}`, 'claim', /The claim "nbf"/],
    ['null', 'malformed', /is no JSON object\.$/],
    ['[]', 'malformed', /is no JSON object\.$/],
    ['"text"', 'malformed', /is no JSON object\.$/],
    ['{"sub":', 'malformed', /is no JSON object\.$/],
    ['', 'malformed', /is no JSON object\.$/],
  ] as const) {
    await redis.command('SET', KEY, text, 'EX', 60);
    const answer = await rejects(TOKEN, reason);
    t.match(answer.json.detail, detail, text);
  }
  await redis.command('DEL', KEY);
  await redis.command('RPUSH', KEY, 'no text at all');
  await refused(t, () => send(TOKEN), 503, 'session-store-unavailable', {
    retryAfter: 2,
    line: { error: { type: 'WRONGTYPE' } },
    reason: 'unchecked',
    moved: { 'redis_failures session': 1 },
  });
});

t.test('an opaque session that ends while Redis is asked has ended', async (t) => {
  const replies = { get: bulk(JSON.stringify({ sub: ME })), pttl: ':-2', info: bulk('') };
  const { send, refused } = await tokenGateway(t, opaqueSessions(await fakeRedis(t, replies)));
  await refused(t, () => send(TOKEN), 401, 'session-invalid', {
    reason: 'unknown',
    moved: { 'redis_failures rate_limit': 1 },
  });
});

redisTest('an opaque session is found by the hash of its token alone', async (t, redis) => {
  const { rejects } = await opaque(t, redis);
  for (const key of [TOKEN, `session:${TOKEN}`, sessionKey(KEY)]) {
    await redis.command('SET', key, JSON.stringify({ sub: ME, exp: now() + 60 }));
  }
  for (const token of [TOKEN, KEY.slice('session:'.length)]) await rejects(token, 'unknown');
});

redisTest('a cookie of other characters than a token’s is refused, whatever is stored', async (t, redis) => {
  const { raw, served, refused } = await opaque(t, redis, { SESSION_COOKIE: 'session' });
  const ours = [
    'Connection: close',
    'Content-Type: application/json',
    'X-Requested-With: x',
    'Sec-Fetch-Site: same-origin',
  ];
  const send = (value: string) => raw(callBytes(...ours, `Cookie: session=${value}`));
  const values = ['a b', 'a,b', 'é', 's:a.b', encodeURIComponent(encodeURIComponent(TOKEN))];
  for (const value of [TOKEN, ...values]) {
    await redis.command('SET', sessionKey(value), JSON.stringify({ sub: ME }), 'EX', 60);
  }
  await served(t, () => send(TOKEN));
  for (const value of values) {
    await refused(t, () => send(value), 401, 'session-invalid', { reason: 'malformed' });
  }
});
