import { createHmac } from 'node:crypto';
import net from 'node:net';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { API_KEY, build, callBytes, ME, OTHER, SECRET, sign } from '../helper.ts';
import { issuer } from '../issuer.ts';
import { freePort } from '../ports.ts';

/** The samples of one metric, as Prometheus reads them: labels and value. */
async function samples({ metrics }: FastifyInstance, name: string): Promise<Record<string, number>> {
  const text = await metrics.registry.metrics();
  const found = [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))];
  return Object.fromEntries(
    found.map(([, labels = '', value]) => [labels.replaceAll('"', ''), Number(value)]),
  );
}

const SERVER = 'http_server_request_duration_seconds_count';
const REFUSED = 'cometchat_gateway_sessions_refused_total';
const CLIENT = 'http_client_request_duration_seconds_count';

t.test('every request is measured by its route, method, status and error', async (t) => {
  const { app, put, get } = await build(t);
  await put({ tags: ['a'], conversationWith: OTHER });
  await put({ tags: 1 });
  await get('/livez');
  await get('/made-up-1');
  await get('/made-up-2', { method: 'DELETE' });
  await get('/made-up-3', { method: 'PROPFIND' });
  const route = 'http_route=/me/conversations/tags';
  t.strictSame(await samples(app, SERVER), {
    [`http_request_method=PUT,${route},http_response_status_code=200,error_type=`]: 1,
    [`http_request_method=PUT,${route},http_response_status_code=400,error_type=body-invalid`]: 1,
    'http_request_method=GET,http_route=/livez,http_response_status_code=200,error_type=': 1,
    'http_request_method=GET,http_route=,http_response_status_code=404,error_type=route-not-found': 1,
    'http_request_method=DELETE,http_route=,http_response_status_code=404,error_type=route-not-found': 1,
    'http_request_method=_OTHER,http_route=,http_response_status_code=404,error_type=route-not-found': 1,
  });
  t.ok(Object.values(await samples(app, SERVER.replace('count', 'sum'))).every((seconds) => seconds < 2));
});

t.test('every call to CometChat is measured, a retry too, and names nobody', async (t) => {
  const { app, put, sandbox } = await build(t);
  sandbox.play('22-503');
  await put({ tags: ['a'], conversationWith: OTHER });
  await put({ tags: [], conversationWith: 'project-group', conversationType: 'group' });
  sandbox.fault({ status: 400, body: { error: { code: 'ERR_OF_TOMORROW' } } }, { reset: 'before-headers' });
  await put({ tags: ['b'], conversationWith: OTHER });
  await put({ tags: ['c'], conversationWith: OTHER });
  const server = `server_address=127.0.0.1,server_port=${new URL(sandbox.origin).port}`;
  const call = (template: string, status: string, error: string) =>
    `http_request_method=PUT,url_template=${template},http_response_status_code=${status},error_type=${error},${server}`;
  const toUser = '/users/{uid}/conversation';
  t.strictSame(await samples(app, CLIENT), {
    [call(toUser, '503', 'ERR_BAD_ERROR_RESPONSE')]: 1,
    [call(toUser, '200', '')]: 2,
    [call('/groups/{guid}/conversation', '200', '')]: 1,
    [call(toUser, '400', '_OTHER')]: 1,
    [call(toUser, '', 'ECONNRESET')]: 1,
  });
});

t.test('what is left of the quota is what this replica knows', async (t) => {
  // In the middle of a minute, so that it is not over meanwhile.
  const now = 30_000;
  const options = { seams: { now: () => now }, sandbox: { callsPerMinute: 1_000_000 } };
  const { app, put, sandbox } = await build(t, { COMETCHAT_CALLS_PER_MINUTE: '100' }, options);
  const left = async () => (await samples(app, 'cometchat_gateway_quota_calls_left'))[''];
  t.equal(await left(), 100);
  await put({ tags: ['a'], conversationWith: OTHER });
  t.equal(await left(), 99);
  sandbox.fault({ status: 429 });
  await put({ tags: ['b'], conversationWith: OTHER });
  t.equal(await left(), 0);
});

t.test('which key is in use can be seen, and which not', async (t) => {
  const { app, put } = await build(t, {
    COMETCHAT_API_KEY: 'refused-by-cometchat',
    COMETCHAT_API_KEY_SECONDARY: API_KEY,
  });
  const inUse = () => samples(app, 'cometchat_gateway_api_key_in_use');
  t.strictSame(await inUse(), { 'key=primary': 1, 'key=secondary': 0 });
  await put({ tags: [], conversationWith: OTHER });
  t.strictSame(await inUse(), { 'key=primary': 0, 'key=secondary': 1 });
});

t.test('sessions are refused for a reason, which the log has too', async (t) => {
  const older = 'o'.repeat(40);
  const { app, put, requests } = await build(t, { SESSION_SECRET: `${SECRET},${older}` });
  const good = await sign();
  const [header = '', payload = '', signature = ''] = good.split('.');
  const forged = `${header}.${payload}.${createHmac('sha256', 'x').update('x').digest('base64url')}`;
  const noJson = `${Buffer.from('no json').toString('base64url')}.${payload}.${signature}`;
  const cases: [reason: string, authorization: string][] = [
    ['missing', ''],
    ['malformed', 'Bearer not-a-token'],
    ['malformed', 'Bearer not.a.token'],
    ['malformed', `Bearer ${noJson}`],
    ['algorithm', `Bearer ${await sign({}, { header: { alg: 'HS384' } })}`],
    ['algorithm', `Bearer ${await sign({}, { header: { alg: 'HS512' }, secret: 'f'.repeat(64) })}`],
    ['signature', `Bearer ${forged}`],
    ['signature', `Bearer ${await sign({ exp: 1 }, { secret: 'f'.repeat(40) })}`],
    ['claim', `Bearer ${await sign({ aud: 'another-service' })}`],
    ['claim', `Bearer ${await sign({ nbf: Date.now() })}`],
    ['expired', `Bearer ${await sign({ exp: 1 })}`],
  ];
  for (const [reason, authorization] of cases) {
    t.equal((await put({ tags: [] }, { authorization })).status, 401, reason);
  }
  t.match(
    requests(),
    cases.map(([reason]) => ({ reason })),
  );
  for (const secret of [SECRET, older]) {
    const authorization = `Bearer ${await sign({}, { secret })}`;
    t.equal((await put({ tags: [] }, { authorization })).status, 200);
  }
  t.strictSame(await samples(app, REFUSED), {
    'reason=missing': 1,
    'reason=malformed': 3,
    'reason=algorithm': 2,
    'reason=unknown_key': 0,
    'reason=signature': 2,
    'reason=unknown': 0,
    'reason=claim': 2,
    'reason=expired': 1,
    'reason=revoked': 0,
    'reason=unchecked': 0,
  });
});

t.test('a client that leaves is told apart from one that was answered', async (t) => {
  const { app, port, sandbox } = await build(t);
  sandbox.fault({ delayMs: 60_000 });
  const arrived = sandbox.nextCall();
  const socket = net.connect(port, '127.0.0.1');
  socket.write(callBytes(`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json'));
  await arrived;
  socket.destroy();
  const gone =
    'http_request_method=PUT,http_route=/me/conversations/tags,http_response_status_code=,error_type=client_gone';
  while (!(await samples(app, SERVER))[gone]) await new Promise(setImmediate);
  t.strictSame(await samples(app, SERVER), { [gone]: 1 });
});

t.test(
  'a key that nobody knows, and a session that nobody can check, are reasons of their own',
  async (t) => {
    const provider = await issuer(t);
    const known = await build(t, provider.env);
    await known.put(
      { tags: [] },
      { authorization: `Bearer ${await provider.key.sign({}, { kid: 'unknown' })}` },
    );
    t.match(await samples(known.app, REFUSED), { 'reason=unknown_key': 1 });
    const alone = await build(t, { REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    await alone.put({ tags: [] }, { authorization: `Bearer ${await sign({ jti: 'a' })}` });
    t.match(await samples(alone.app, REFUSED), { 'reason=unchecked': 1 });
  },
);

t.test('what has not happened yet is there as 0, so that its first time is an increase', async (t) => {
  const { app } = await build(t);
  t.match(await samples(app, 'cometchat_gateway_problems_total'), {
    'code=internal': 0,
    'code=cometchat-busy': 0,
  });
  const shared = await build(t, { REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
  t.strictSame(await samples(shared.app, 'cometchat_gateway_redis_failures_total'), {
    'use=session': 0,
    'use=revocation': 0,
    'use=rate_limit': 0,
    'use=quota': 0,
    'use=write_order': 0,
  });
  t.strictSame(
    await samples(app, 'cometchat_gateway_redis_connected'),
    {},
    'but for a Redis that there is none of',
  );
});

t.test('no uid, tag or token is in a metric', async (t) => {
  const { app, put } = await build(t);
  await put({ tags: ['my-tag'], conversationWith: OTHER });
  await put({ tags: ['my-tag'], conversationWith: 'somebody-unknown' });
  t.notMatch(await app.metrics.registry.metrics(), new RegExp(`my-tag|${ME}|${OTHER}|somebody`));
});
