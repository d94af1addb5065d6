import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { VERSION } from '../../src/operations/version.ts';
import { otlpReceiver, type ReceivedSpan } from '../helpers/otlp-receiver.ts';
import { listening } from '../helpers/ports.ts';
import { startProcess } from '../helpers/process.ts';
import { planted } from '../helpers/secrets.ts';
import { OTHER, sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

// Each waits for a process of its own.
t.jobs = 3;
const parallel = { buffered: true };

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const LOADED = ['--import=./test/fixtures/loaded-modules.ts'];

t.test('a gateway that is asked for traces', parallel, async (t) => {
  const receiver = await otlpReceiver(t);
  const secret = 'Basic otlp-secret';
  planted.add(secret);
  const { child, sandbox, origin } = await startProcess(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(secret)}`,
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  /** Makes the call as a part of that trace. */
  const call = async (body: unknown = { tags: ['a'], conversationWith: OTHER }, init: RequestInit = {}) =>
    fetch(`${origin}/me/conversations/tags`, {
      method: 'PUT',
      body: JSON.stringify(body),
      ...init,
      headers: {
        authorization: `Bearer ${await sign()}`,
        'content-type': 'application/json',
        traceparent: `00-${TRACE}-${PARENT}-01`,
        baggage: 'user=somebody',
        tracestate: 'vendor=somebody',
        ...init.headers,
      },
    });
  /** The spans that have arrived since the last time, as soon as these are all that were made. */
  const spans = async (count: number): Promise<ReceivedSpan[]> => {
    await until(`${count} spans`, () => receiver.spans.length >= count);
    return receiver.spans.splice(0);
  };

  await t.test(
    'a request is a span of the trace that it comes with, each attempt one beneath it',
    async (t) => {
      sandbox.play('status-503');
      t.equal((await call()).status, 200);
      const [first, second, request, ...others] = await spans(3);
      t.strictSame(others, []);
      t.match(request, {
        name: 'PUT /me/conversations/tags',
        traceId: TRACE,
        parentId: PARENT,
        kind: 'server',
        isError: false,
        attributes: {
          'http.request.method': 'PUT',
          'http.route': '/me/conversations/tags',
          'http.response.status_code': 200,
        },
        resource: { 'service.name': 'cometchat-gateway', 'service.version': VERSION },
      });
      const attempt = {
        name: 'PUT /users/{uid}/conversation',
        traceId: TRACE,
        parentId: request?.spanId,
        kind: 'client',
        attributes: { 'server.address': '127.0.0.1', 'url.template': '/users/{uid}/conversation' },
      };
      t.match(first, {
        ...attempt,
        isError: true,
        attributes: { 'http.response.status_code': 503, 'error.type': 'ERR_BAD_ERROR_RESPONSE' },
      });
      t.match(second, {
        ...attempt,
        isError: false,
        attributes: { 'http.response.status_code': 200, 'http.request.resend_count': 1 },
      });
      t.notOk(sandbox.calls[0]?.headers.traceparent, 'nothing of it goes to CometChat');
      const line = child.stdout.split('\n').find((line) => line.includes('"msg":"request"'));
      t.match(JSON.parse(line ?? ''), { trace_id: TRACE, span_id: request?.spanId });
    },
  );

  await t.test('a request that fails is named by its problem, and no uid or tag is in a span', async (t) => {
    await call({ tags: 1 });
    const traceparent = `00-${TRACE}-${PARENT}-01`;
    await fetch(`${origin}/nowhere`, { headers: { traceparent } });
    await fetch(`${origin}/livez`, { headers: { traceparent } });
    await call({ tags: ['secret-tag'], conversationWith: 'nobody-knows-me' });
    const headers = { authorization: `Bearer ${await sign()}`, traceparent };
    sandbox.fault({ status: 200, body: { data: [] } });
    await fetch(`${origin}/me/conversations?tags=secret-tag`, { headers });
    const all = await spans(6);
    t.match(all, [
      { name: 'PUT /me/conversations/tags', attributes: { 'error.type': 'body-invalid' }, isError: false },
      { name: 'GET', attributes: { 'error.type': 'route-not-found', 'http.response.status_code': 404 } },
      { kind: 'client', attributes: { 'error.type': 'ERR_UID_NOT_FOUND' } },
      { kind: 'server', attributes: { 'error.type': 'user-not-found' } },
      { kind: 'client', name: 'GET /conversations', attributes: { 'url.template': '/conversations' } },
      { kind: 'server', name: 'GET /me/conversations' },
    ]);
    t.equal(all.length, 6, 'probes are none');
    t.notMatch(JSON.stringify(all), /secret-tag|nobody-knows-me|cometchat-uid|somebody/);
  });

  await t.test('a failure of the gateway’s side and a client that leaves are told apart', async (t) => {
    sandbox.fault({ status: 500 });
    t.equal((await call()).status, 502);
    sandbox.fault({ delayMs: 60_000 });
    const arrived = sandbox.nextCall();
    const leave = new AbortController();
    const left = call({ tags: [] }, { signal: leave.signal });
    await arrived;
    leave.abort();
    await t.rejects(left);
    await child.says(/"aborted":true/);
    const servers = (await spans(4)).filter(({ kind }) => kind === 'server');
    t.match(servers, [
      { isError: true, attributes: { 'error.type': 'cometchat-failed' } },
      { isError: false, attributes: { 'error.type': 'client_gone' } },
    ]);
  });

  await t.test(
    'the sampler of the environment decides, whatever the caller’s traceparent says',
    async (t) => {
      for (const traceparent of ['', 'no-traceparent-at-all', `00-${TRACE}-${PARENT}-00`]) {
        t.equal((await call(undefined, { headers: { traceparent } })).status, 200);
      }
      const servers = (await spans(6)).filter(({ kind }) => kind === 'server');
      t.match(servers, [{ parentId: '' }, { parentId: '' }, { traceId: TRACE, parentId: PARENT }]);
      t.equal(new Set(servers.map(({ traceId }) => traceId)).size, 3);
    },
  );

  await t.test('a receiver that is down costs no call, and the log says so once', async (t) => {
    receiver.status = 400;
    t.equal((await call()).status, 200);
    await child.says(/"level":"warn".*"type":"400".*"msg":"traces cannot be exported"/);
    const exports = receiver.paths.length;
    t.equal((await call()).status, 200);
    await until('another export', () => receiver.paths.length > exports);
    receiver.status = 200;
    t.equal((await call()).status, 200);
    await child.says(/"msg":"traces are exported again"/);
    t.equal(child.stdout.split('traces cannot be exported').length, 2);
  });

  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
  t.strictSame(new Set(receiver.paths), new Set(['/v1/traces']));
  t.equal(receiver.headers.authorization, secret, 'the key for the receiver is sent along');
});

t.test('a receiver that hangs does not keep the process from its end', parallel, async (t) => {
  const receiver = http.createServer();
  const url = `http://127.0.0.1:${await listening(t, receiver)}/traces`;
  const env = {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
    OTEL_SERVICE_NAME: 'another-name',
  };
  const { call, child } = await startProcess(t, env, { node: LOADED });
  await call();
  const asked = once(receiver, 'request');
  child.process.kill('SIGTERM');
  const [request] = await asked;
  t.match(String(await buffer(request)), 'another-name', 'it gets the last spans, with the service’s name');
  t.equal(await child.exit(), 0);
  t.match(child.stderr, /opentelemetry/);
});

t.test('what the operator says of the service wins, and stands beside the rest', parallel, async (t) => {
  const receiver = await otlpReceiver(t);
  const { call, child } = await startProcess(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_RESOURCE_ATTRIBUTES: 'service.version=1.2.0%2Bours,deployment.environment.name=staging',
  });
  await call();
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
  t.match(receiver.spans[0]?.resource, {
    'service.name': 'cometchat-gateway',
    'service.version': '1.2.0+ours',
    'deployment.environment.name': 'staging',
  });
});

t.test('OpenTelemetry is not loaded unless traces are asked for', parallel, async (t) => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' };
  const { child } = await startProcess(t, env, { node: LOADED });
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
  t.match(child.stderr, /loaded: [1-9]/);
  t.notMatch(child.stderr, /opentelemetry/);
});
