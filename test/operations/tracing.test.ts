import { once } from 'node:events';
import http from 'node:http';
import t, { type Test } from 'tap';
import { startGateway } from '../child.ts';
import { OTHER, planted, sign } from '../helper.ts';
import { otlpReceiver } from '../otlp-receiver.ts';
import { listening } from '../ports.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

/** A gateway that sends its traces to a receiver, as its variables say. */
async function traced(t: Test, env: Record<string, string> = {}) {
  const receiver = await otlpReceiver(t);
  const gateway = await startGateway(t, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env });
  return {
    ...gateway,
    receiver,
    /** Makes the call with a traceparent. */
    async callWith(traceparent: string, body: unknown = { tags: ['a'], conversationWith: OTHER }) {
      const headers = {
        authorization: `Bearer ${await sign()}`,
        'content-type': 'application/json',
        traceparent,
        baggage: 'user=somebody',
        tracestate: 'vendor=somebody',
      };
      const url = `${gateway.origin}/me/conversations/tags`;
      return fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
    },
    /** Ends the gateway, which sends what it has, and gives the spans. */
    async spans() {
      gateway.child.process.kill('SIGTERM');
      t.equal(await gateway.child.exit(), 0);
      return receiver.spans;
    },
  };
}

t.test(
  'a request is one span in the trace that it comes with, and each call to CometChat one beneath it',
  async (t) => {
    const { callWith, sandbox, child, receiver, spans } = await traced(t);
    sandbox.play('22-503');
    t.equal((await callWith(`00-${TRACE}-${PARENT}-01`)).status, 200);
    const [first, second, request, ...others] = await spans();
    t.strictSame(others, []);
    t.strictSame(receiver.paths, ['/v1/traces']);
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
      resource: { 'service.name': 'cometchat-gateway' },
    });
    const call = {
      name: 'PUT /users/{uid}/conversation',
      traceId: TRACE,
      parentId: request?.spanId,
      kind: 'client',
      attributes: { 'server.address': '127.0.0.1', 'url.template': '/users/{uid}/conversation' },
    };
    t.match(first, {
      ...call,
      isError: true,
      attributes: { 'http.response.status_code': 503, 'error.type': 'ERR_BAD_ERROR_RESPONSE' },
    });
    t.match(second, {
      ...call,
      isError: false,
      attributes: { 'http.response.status_code': 200, 'http.request.resend_count': 1 },
    });
    t.notOk(sandbox.calls[0]?.headers.traceparent, 'nothing of it goes to CometChat');
    const line = child.stdout.split('\n').find((line) => line.includes('"msg":"request"'));
    t.match(JSON.parse(line ?? ''), { trace_id: TRACE, span_id: request?.spanId });
  },
);

t.test('a request that fails is named by its problem, and no uid or tag is in a span', async (t) => {
  const { call, callWith, origin, spans } = await traced(t, { OTEL_SERVICE_NAME: 'another' });
  await call({ tags: 1 });
  await fetch(`${origin}/nowhere`);
  await fetch(`${origin}/livez`);
  await callWith('no-traceparent-at-all', { tags: ['secret-tag'], conversationWith: 'nobody-knows-me' });
  const all = await spans();
  t.match(all, [
    { name: 'PUT /me/conversations/tags', attributes: { 'error.type': 'body-invalid' }, isError: false },
    { name: 'GET', attributes: { 'error.type': 'route-not-found', 'http.response.status_code': 404 } },
    { kind: 'client', attributes: { 'error.type': 'ERR_UID_NOT_FOUND' } },
    { parentId: '', attributes: { 'error.type': 'user-not-found' }, resource: { 'service.name': 'another' } },
  ]);
  t.equal(all.length, 4, 'probes are none');
  t.notMatch(JSON.stringify(all), /secret-tag|nobody-knows-me|cometchat-uid|somebody/);
});

t.test('a failure of the gateway’s side and a client that leaves are told apart', async (t) => {
  const { callWith, child, origin, sandbox, spans } = await traced(t);
  sandbox.fault({ status: 500 });
  t.equal((await callWith('')).status, 502);
  sandbox.fault({ delayMs: 60_000 });
  const leave = new AbortController();
  const arrived = sandbox.nextCall();
  const headers = { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' };
  const call = fetch(`${origin}/me/conversations/tags`, {
    method: 'PUT',
    headers,
    body: '{"tags":[]}',
    signal: leave.signal,
  });
  await arrived;
  leave.abort();
  await t.rejects(call);
  await child.says(/"aborted":true/);
  t.match(
    (await spans()).filter(({ kind }) => kind === 'server'),
    [
      { isError: true, attributes: { 'error.type': 'cometchat-failed' } },
      { isError: false, attributes: { 'error.type': 'client_gone' } },
    ],
  );
});

t.test('the sampler of the environment decides, and who asks for traces may send a key along', async (t) => {
  const secret = 'Basic otlp-secret';
  planted.add(secret);
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(secret)}`,
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
  };
  const { callWith, receiver, spans } = await traced(t, env);
  await callWith('');
  await callWith(`00-${TRACE}-${PARENT}-01`);
  t.strictSame(new Set((await spans()).map(({ traceId }) => traceId)), new Set([TRACE]));
  t.equal(receiver.headers.authorization, secret);
});

t.test('a receiver that is down costs no call, and the log says so once', async (t) => {
  const { call, receiver, child } = await traced(t, { OTEL_BSP_SCHEDULE_DELAY: '50' });
  receiver.status = 400;
  t.equal((await call()).status, 200);
  await child.says(/"level":"warn".*"type":"400".*"msg":"traces cannot be exported"/);
  receiver.status = 200;
  t.equal((await call()).status, 200);
  await child.says(/"msg":"traces are exported again"/);
  t.equal(child.stdout.split('traces cannot be exported').length, 2);
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
});

t.test('a receiver that hangs does not keep the process from its end', async (t) => {
  const receiver = http.createServer();
  const url = `http://127.0.0.1:${await listening(t, receiver)}/traces`;
  const { call, child } = await startGateway(t, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url });
  await call();
  const asked = once(receiver, 'request');
  child.process.kill('SIGTERM');
  const since = performance.now();
  await asked;
  t.equal(await child.exit(), 0);
  t.ok(performance.now() - since < 5000, 'in two seconds');
});

t.test('without being asked for, nothing of it is loaded', async (t) => {
  const loads = (env: Record<string, string>) =>
    startGateway(t, env, { node: ['--import', './test/fixtures/loaded-modules.ts'] });
  const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' };
  for (const env of [{}, off, { OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }]) {
    const { child } = await loads(env as Record<string, string>);
    child.process.kill('SIGTERM');
    await once(child.process, 'exit');
    t.match(child.stderr, /loaded: [1-9]/);
    t.notMatch(child.stderr, /opentelemetry/);
  }
  const { child } = await loads({ OTEL_TRACES_EXPORTER: 'otlp' });
  child.process.kill('SIGTERM');
  await child.exit();
  t.match(child.stderr, /opentelemetry/);
});
