import t from 'tap';
import { isProblem } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';

const OURS = 'https://app.example';
const preflight = (origin: string, path = '/me/conversations/tags'): [string, RequestInit] => [
  path,
  {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization,content-type',
    },
  },
];

t.test('an allowed origin may call, and a browser need not ask each time', async (t) => {
  const { get, sandbox } = await startGateway(t, { CORS_ORIGINS: `${OURS},https://other.example` });
  const answer = await get(...preflight(OURS));
  t.equal(answer.status, 204);
  const headers = [...answer.headers].filter(([name]) => /^access-control|^vary$/.test(name));
  t.strictSame(Object.fromEntries(headers), {
    'access-control-allow-origin': OURS,
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'Authorization, Content-Type, X-Requested-With',
    'access-control-expose-headers':
      'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate',
    'access-control-max-age': '7200',
    vary: 'Origin',
  });
  t.equal(sandbox.calls.length, 0);
});

t.test('its pages may read every answer, errors too', async (t) => {
  const { put, get } = await startGateway(t, { CORS_ORIGINS: OURS });
  for (const answer of [
    await put({ tags: [] }, { origin: OURS }),
    await put({ tags: 1 }, { origin: OURS }),
    await put({ tags: [] }, { origin: OURS, authorization: '' }),
    await get('/nothing', { headers: { origin: OURS } }),
    await get('/livez', { method: 'POST', headers: { origin: OURS } }),
  ]) {
    t.equal(answer.headers.get('access-control-allow-origin'), OURS, String(answer.status));
    t.match(answer.headers.get('access-control-expose-headers'), /X-Request-Id, Retry-After, RateLimit/);
    t.equal(answer.headers.get('vary'), 'Origin');
  }
});

t.test('any other origin gets no permission, and caches are told that it matters', async (t) => {
  const { put, get } = await startGateway(t, { CORS_ORIGINS: OURS });
  for (const origin of [
    'https://evil.example',
    `${OURS}.evil.example`,
    'http://app.example',
    `${OURS}:444`,
    'null',
  ]) {
    isProblem(t, await get(...preflight(origin)), 405, 'method-not-allowed');
    const answer = await put({ tags: [] }, { origin });
    for (const denied of [answer, await get(...preflight(origin))]) {
      t.equal(denied.headers.get('vary'), 'Origin');
      t.notOk(
        [...denied.headers.keys()].some((name) => name.startsWith('access-control')),
        origin,
      );
    }
  }
});

t.test('credentials are allowed only where cookies are sessions', async (t) => {
  const { get, put } = await startGateway(t, { CORS_ORIGINS: OURS, SESSION_COOKIE: '__Host-session' });
  t.equal((await get(...preflight(OURS))).headers.get('access-control-allow-credentials'), 'true');
  t.equal(
    (await put({ tags: [] }, { origin: OURS })).headers.get('access-control-allow-credentials'),
    'true',
  );
  const stranger = await get(...preflight('https://evil.example'));
  t.notOk(stranger.headers.has('access-control-allow-credentials'));
});

t.test('an OPTIONS that is no preflight of an allowed origin is a method like any other', async (t) => {
  const { get } = await startGateway(t, { CORS_ORIGINS: OURS });
  const options = await get('/me/conversations/tags', { method: 'OPTIONS' });
  isProblem(t, options, 405, 'method-not-allowed');
  t.equal(options.headers.get('allow'), 'PUT');
  isProblem(t, await get('/nothing', { method: 'OPTIONS' }), 404, 'route-not-found');
});

t.test('an allowed origin that asks about no method is answered like any preflight', async (t) => {
  const { get } = await startGateway(t, { CORS_ORIGINS: OURS });
  const answer = await get('/me/conversations/tags', { method: 'OPTIONS', headers: { origin: OURS } });
  t.equal(answer.status, 204);
  t.equal(answer.text, '');
});

t.test('without CORS_ORIGINS there is no CORS header at all', async (t) => {
  const { get, put } = await startGateway(t);
  isProblem(t, await get(...preflight(OURS)), 405, 'method-not-allowed');
  const answer = await put({ tags: [] }, { origin: OURS, authorization: `Bearer ${await sign()}` });
  t.notOk([...answer.headers.keys()].some((name) => /^access-control|^vary$/.test(name)));
});
