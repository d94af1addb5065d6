import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { adminServer } from '../../src/operations/admin.ts';
import { callBytes, isProblem } from '../helpers/answers.ts';
import { fakeRedis } from '../helpers/fake-redis.ts';
import { startGateway } from '../helpers/gateway.ts';
import { samplesOf } from '../helpers/metrics.ts';
import { ME, OTHER, sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

/** The series of one metric, as Prometheus reads them: labels and value. */
async function series({ metrics }: FastifyInstance, name: string): Promise<Record<string, number>> {
  const samples = (await samplesOf(metrics)).filter((sample) => sample.name === name);
  return Object.fromEntries(
    samples.map(({ labels, value }) => [
      Object.entries(labels)
        .map(([label, text]) => `${label}=${text}`)
        .join(),
      value,
    ]),
  );
}

const SERVER = 'http_server_request_duration_seconds_count';
const CLIENT = 'http_client_request_duration_seconds_count';

t.test('the metrics are on a port of their own, in Prometheus’ text format', async (t) => {
  const { app, put, get } = await startGateway(t);
  await put({ tags: 1 });
  const admin = adminServer(app.metrics);
  t.teardown(() => admin.close());
  const origin = await admin.listen({ host: '127.0.0.1', port: 0 });
  const response = await fetch(`${origin}/metrics`);
  t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  t.match(text, /^cometchat_gateway_problems_total\{code="body-invalid"\} 1$/m);
  t.match(text, /^# TYPE cometchat_gateway_redis_failures_total counter$/m);
  isProblem(t, await get('/metrics'), 404, 'route-not-found');
});

t.test('the version that runs is a label, and that of Node.js another', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const { app } = await startGateway(t);
  t.strictSame(await series(app, 'cometchat_gateway_build_info'), {
    [`version=${version},node_version=${process.versions.node}`]: 1,
  });
});

t.test('two gateways in one process count for themselves', async (t) => {
  const [one, other] = [await startGateway(t), await startGateway(t)];
  await one.put({ tags: 1 });
  t.match(await one.counts(), { 'problems body-invalid': 1 });
  t.match(await other.counts(), { 'problems body-invalid': 0 });
});

t.test('every request is measured by its route, method, status and error', async (t) => {
  const { app, put, get } = await startGateway(t);
  await put({ tags: ['a'], conversationWith: OTHER });
  await put({ tags: 1 });
  await get('/livez');
  await get('/made-up-1');
  await get('/made-up-2', { method: 'DELETE' });
  await get('/made-up-3', { method: 'PROPFIND' });
  const route = 'http_route=/me/conversations/tags';
  t.strictSame(await series(app, SERVER), {
    [`http_request_method=PUT,${route},http_response_status_code=200,error_type=`]: 1,
    [`http_request_method=PUT,${route},http_response_status_code=400,error_type=body-invalid`]: 1,
    'http_request_method=GET,http_route=/livez,http_response_status_code=200,error_type=': 1,
    'http_request_method=GET,http_route=,http_response_status_code=404,error_type=route-not-found': 1,
    'http_request_method=DELETE,http_route=,http_response_status_code=404,error_type=route-not-found': 1,
    'http_request_method=_OTHER,http_route=,http_response_status_code=404,error_type=route-not-found': 1,
  });
  t.ok(Object.values(await series(app, SERVER.replace('count', 'sum'))).every((seconds) => seconds < 2));
});

t.test('every call to CometChat is measured, a retry too, and no user or new code is a label', async (t) => {
  const { app, put, sandbox } = await startGateway(t);
  sandbox.play('status-503');
  await put({ tags: ['a'], conversationWith: OTHER });
  await put({ tags: [], conversationWith: 'project-group', conversationType: 'group' });
  sandbox.fault({ status: 400, body: { error: { code: 'ERR_OF_TOMORROW' } } }, { reset: 'before-headers' });
  await put({ tags: ['b'], conversationWith: OTHER });
  await put({ tags: ['c'], conversationWith: OTHER });
  const server = `server_address=127.0.0.1,server_port=${new URL(sandbox.origin).port}`;
  const call = (template: string, status: string, error: string) =>
    `http_request_method=PUT,url_template=${template},http_response_status_code=${status},error_type=${error},${server}`;
  const toUser = '/users/{uid}/conversation';
  t.strictSame(await series(app, CLIENT), {
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
  const { counts, put, sandbox } = await startGateway(t, { COMETCHAT_CALLS_PER_MINUTE: '100' }, options);
  const left = async () => (await counts()).quota_calls_left;
  t.equal(await left(), 100);
  await put({ tags: ['a'], conversationWith: OTHER });
  t.equal(await left(), 99);
  sandbox.fault({ status: 429 });
  await put({ tags: ['b'], conversationWith: OTHER });
  t.equal(await left(), 0);
});

t.test('a client that leaves is told apart from one that was answered', async (t) => {
  const { app, connect, underWay, sandbox } = await startGateway(t);
  sandbox.fault({ delayMs: 60_000 });
  const { client } = await connect();
  const call = callBytes(`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json');
  await underWay(async () => client.write(call));
  client.destroy();
  const gone =
    'http_request_method=PUT,http_route=/me/conversations/tags,http_response_status_code=,error_type=client_gone';
  await until('its series', async () => gone in (await series(app, SERVER)));
  t.strictSame(await series(app, SERVER), { [gone]: 1 });
});

t.test('what has not happened yet is there as 0, so that its first time is an increase', async (t) => {
  const { counts } = await startGateway(t);
  t.match(await counts(), {
    'problems internal': 0,
    'problems cometchat-busy': 0,
    'sessions_refused unknown_key': 0,
    'sessions_refused unknown': 0,
    'sessions_refused revoked': 0,
    'sessions_refused unchecked': 0,
  });
  t.equal((await counts()).redis_connected, undefined, 'but for a Redis that there is none of');
  const shared = await startGateway(t, { REDIS_URL: await fakeRedis(t) });
  t.match(await shared.counts(), {
    'redis_failures session': 0,
    'redis_failures revocation': 0,
    'redis_failures rate_limit': 0,
    'redis_failures quota': 0,
    'redis_failures write_order': 0,
  });
});

t.test('no uid, tag or token is in a metric', async (t) => {
  const { app, put } = await startGateway(t);
  await put({ tags: ['my-tag'], conversationWith: OTHER });
  await put({ tags: ['my-tag'], conversationWith: 'somebody-unknown' });
  t.notMatch(await app.metrics.registry.metrics(), new RegExp(`my-tag|${ME}|${OTHER}|somebody`));
});
