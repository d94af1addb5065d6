import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { parseOrigins } from '../../src/http/cors.ts';
import { timeouts } from '../../src/http/raw-errors.ts';
import { isProblem, parseAnswer } from '../helpers/answers.ts';
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
    'access-control-allow-methods': 'GET, PUT, PATCH',
    'access-control-allow-headers':
      'authorization, content-type, x-requested-with, traceparent, tracestate, baggage, sentry-trace, b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled, x-b3-flags, x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority, x-datadog-tags, newrelic, elastic-apm-traceparent, request-id, request-context',
    'access-control-expose-headers':
      'Allow, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id',
    'access-control-max-age': '7200',
    vary: 'Origin',
  });
  t.equal(sandbox.calls.length, 0);
});

t.test('its pages may use the methods that routes have, and no other', async (t) => {
  const extend = (app: FastifyInstance) => {
    app.route({ method: ['PATCH', 'DELETE'], url: '/else', handler: async () => 'done' });
  };
  const { get, requests } = await startGateway(t, { CORS_ORIGINS: OURS }, { extend });
  const headers = { origin: OURS, 'access-control-request-method': 'DELETE' };
  const answer = await get('/else', { method: 'OPTIONS', headers });
  t.equal(answer.headers.get('access-control-allow-methods'), 'GET, PUT, PATCH, DELETE');
  await get('/else', { method: 'OPTIONS', headers: { ...headers, 'access-control-request-method': 'HEAD' } });
  t.match(requests(), [{ reason: undefined }, { reason: 'method_not_allowed', asked: 'HEAD' }]);
});

t.test('its pages may read every answer, errors too', async (t) => {
  const { put, get, list } = await startGateway(t, { CORS_ORIGINS: OURS });
  for (const answer of [
    await list('page=0', { origin: OURS }),
    await put({ tags: [] }, { origin: OURS }),
    await put({ tags: 1 }, { origin: OURS }),
    await put({ tags: [] }, { origin: OURS, authorization: '' }),
    await get('/nothing', { headers: { origin: OURS } }),
    await get('/livez', { method: 'POST', headers: { origin: OURS } }),
  ]) {
    t.equal(answer.headers.get('access-control-allow-origin'), OURS, String(answer.status));
    t.match(
      answer.headers.get('access-control-expose-headers'),
      /RateLimit-Policy, Retry-After, WWW-Authenticate/,
    );
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
    const refused = await get(...preflight(origin));
    isProblem(t, refused, 405, 'method-not-allowed');
    t.match(refused.json.detail, /not in CORS_ORIGINS.* add the origin to CORS_ORIGINS/);
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
  t.equal(options.headers.get('allow'), 'GET, PUT, PATCH');
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

/** Errors of requests that no hook sees, and in which the origin can be read. */
const UNSEEN: readonly ((origin: string) => string)[] = [
  (origin) => `GET /%ff HTTP/1.1\r\nHost: x\r\n${origin}Connection: close\r\n\r\n`,
  (origin) => `GET /livez HTTP/1.1\r\nHost: x\r\n${origin}X: ${'a'.repeat(17_000)}\r\n\r\n`,
  // Browsers send it behind the fields that the page has set.
  (origin) => `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(40_000)}\r\n${origin}\r\n`,
  (origin) => `GET /livez HTTP/1.1\r\nHost: x\r\n${origin}Bad Header: x\r\n\r\n`,
  (origin) => `GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n${origin}\r\n`,
  (origin) => `PUT /livez HTTP/2.0\r\nHost: x\r\n${origin}\r\n`,
  (origin) => `CONNECT x:1 HTTP/1.1\r\nHost: x\r\n${origin}\r\n`,
];

t.test(
  'an error that no hook sees is readable for the pages of allowed origins, and for no others',
  async (t) => {
    for (const origins of [OURS, `https://other.example,${OURS}`]) {
      const { raw } = await startGateway(t, { CORS_ORIGINS: origins, SESSION_COOKIE: 'session' });
      for (const bytes of UNSEEN) {
        const { headers, status } = parseAnswer(await raw(bytes(`Origin: ${OURS}\r\n`)));
        t.equal(headers.get('access-control-allow-origin'), OURS, String(status));
        t.equal(headers.get('access-control-allow-credentials'), 'true');
        t.match(headers.get('access-control-expose-headers'), /X-Request-Id/);
        t.equal(headers.get('vary'), 'Origin');
        const evil = parseAnswer(await raw(bytes('Origin: https://evil.example\r\n')));
        t.notOk(evil.headers.has('access-control-allow-origin'), String(status));
      }
    }
  },
);

t.test(
  'an error whose origin cannot be read is readable for the one allowed origin, else for any',
  async (t) => {
    for (const [origins, allowed, credentials] of [
      [undefined, null, null],
      [OURS, OURS, 'true'],
      [`https://other.example,${OURS}`, '*', null],
    ] as const) {
      const env = { CORS_ORIGINS: origins, SESSION_COOKIE: 'session' };
      const { raw } = await startGateway(t, env, { server: timeouts(100, 20) });
      for (const bytes of ['GARBAGE\r\n\r\n', 'GET /livez HTTP/1.1\r\nHost: x\r\n']) {
        const { headers } = parseAnswer(await raw(bytes));
        t.equal(headers.get('access-control-allow-origin'), allowed);
        t.equal(headers.get('access-control-allow-credentials'), credentials);
      }
    }
  },
);

t.test('a page that its browser will not let call is in the log, with the reason', async (t) => {
  const { get, requests } = await startGateway(t, { CORS_ORIGINS: OURS });
  const ask = (origin: string, method = 'PUT', headers = 'content-type') =>
    get('/me/conversations/tags', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': headers,
      },
    });
  await ask(OURS);
  await ask('https://evil.example');
  await ask(`https://${'x'.repeat(200)}.example`);
  await ask(OURS, 'POST');
  await ask(OURS, 'PUT', 'content-type, X-Tenant,x-other');
  const hint = /add the origin to CORS_ORIGINS/;
  const evil = { reason: 'origin_not_allowed', origin: 'https://evil.example', hint, status: 405 };
  t.match(requests(), [
    { status: 204, reason: undefined, origin: undefined },
    evil,
    { reason: 'origin_not_allowed', origin: `https://${'x'.repeat(92)}` },
    { status: 204, reason: 'method_not_allowed', origin: OURS, asked: 'POST' },
    { status: 204, reason: 'header_not_allowed', origin: OURS, asked: 'x-tenant' },
  ]);
  const unset = await startGateway(t);
  await unset.get(...preflight(OURS));
  t.match(unset.requests(), [{ reason: 'origin_not_allowed', origin: OURS, hint }]);
});

t.test('pages on this machine may be plain http, on any name below localhost', async (t) => {
  for (const origin of ['http://localhost:3000', 'http://app.localhost:5173', 'http://a.b.localhost']) {
    t.ok(parseOrigins(origin).has(origin));
  }
  for (const origin of ['http://localhost.example', 'http://notlocalhost', 'http://*.localhost']) {
    t.throws(() => parseOrigins(origin), /exact origins/);
  }
});
