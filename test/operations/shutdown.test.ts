import { once } from 'node:events';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { callBytes, isProblem, parseAnswer } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { countsAt } from '../helpers/metrics.ts';
import { listens } from '../helpers/ports.ts';
import { startProcess } from '../helpers/process.ts';
import { sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

// Some wait for a process of their own.
t.jobs = 3;
const parallel = { buffered: true };

/** The call of a user as bytes, on a connection that the client would keep open. */
const call = async (sub = 'cometchat-uid-1') =>
  callBytes(`Authorization: Bearer ${await sign({ sub })}`, 'Content-Type: application/json');
const probe = 'GET /readyz HTTP/1.1\r\nHost: gateway\r\n\r\n';

const LONG = { COMETCHAT_DEADLINE_MS: '60000', COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000' };
const DRAIN_MS = 1500;

/** A connection to a gateway, the moment of its first answer, and all that comes back on it. */
async function connected(t: Test, port: number, bytes = '') {
  const socket = net.connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const answered = once(socket, 'data').catch(() => undefined);
  const reply = text(socket).catch(({ code }) => String(code));
  socket.write(bytes);
  return { socket, answered, reply };
}

/** Waits until nobody listens any more. */
const isClosed = (port: number): Promise<void> => until('a closed port', async () => !(await listens(port)));

t.test('after SIGTERM it drains, answers all that has arrived, and ends with 0', parallel, async (t) => {
  const { child, sandbox, metrics, port } = await startProcess(t, {
    ...LONG,
    SHUTDOWN_DRAIN_MS: String(DRAIN_MS),
  });
  t.type(
    (await countsAt(metrics)).nodejs_eventloop_lag_p99_seconds,
    'number',
    'until then it tells how it is',
  );
  const idle = await connected(t, port, probe);
  const late = await connected(t, port, probe);
  await Promise.all([idle.answered, late.answered]);
  const unfinished = ['', 'PUT /me/conv', (await call()).slice(0, -1)];
  const blocked = await Promise.all(unfinished.map((bytes) => connected(t, port, bytes)));
  const calls = [await call('cometchat-uid-2'), await call('cometchat-uid-3')] as const;
  sandbox.fault({ delayMs: DRAIN_MS + 500 });
  const taken = sandbox.nextCall();
  const inFlight = await connected(t, port, await call('cometchat-uid-1'));
  await taken;

  child.process.kill('SIGTERM');
  const signalled = performance.now();
  await child.says(/"signal":"SIGTERM","msg":"shutting down"/);
  late.socket.write(calls[0]);
  const [probing, fresh] = await Promise.all([connected(t, port, probe), connected(t, port, calls[1])]);
  isProblem(t, parseAnswer(await probing.reply), 503, 'gateway-draining');
  for (const { reply } of [late, fresh, inFlight]) {
    const answer = (await reply).slice((await reply).lastIndexOf('HTTP/1.1'));
    t.match(answer, /^HTTP\/1.1 200 OK[\s\S]*connection: close/);
  }
  t.match(await idle.reply, /^HTTP\/1.1 200 /, 'the idle connection is closed');
  for (const { reply } of blocked) t.match(await reply, /^(?:ECONNRESET)?$/, 'it got no answer');
  t.equal(await child.exit(), 0);
  t.ok(performance.now() - signalled >= DRAIN_MS);
});

t.test('a call that hangs past the grace is cut off, and the log says so', parallel, async (t) => {
  const { child, sandbox, port } = await startProcess(t, { ...LONG, SHUTDOWN_DEADLINE_MS: '300' });
  sandbox.fault({ delayMs: 60_000 });
  const taken = sandbox.nextCall();
  const { reply } = await connected(t, port, await call());
  await taken;
  child.process.kill('SIGTERM');
  const signalled = performance.now();
  t.equal(await child.exit(), 1);
  t.ok(performance.now() - signalled < 10_000, 'long before the call would have ended');
  t.match(await reply, /^(?:ECONNRESET)?$/);
  t.equal(sandbox.received, 1);
  t.match(child.stdout, /"level":"error".*"calls":1,"msg":"the shutdown took too long/);
});

t.test('Ctrl-C does not wait for load balancers, and a second one for nothing', parallel, async (t) => {
  const drain = { SHUTDOWN_DRAIN_MS: '500000', SHUTDOWN_DEADLINE_MS: '600000' };
  const { child, sandbox, port, call } = await startProcess(t, { ...LONG, ...drain });
  sandbox.fault({ delayMs: 60_000 });
  const taken = sandbox.nextCall();
  const inFlight = call();
  await taken;
  child.process.kill('SIGINT');
  await isClosed(port);
  child.process.kill('SIGINT');
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
});

t.test('a call in flight is answered, and a request that is arriving has a second to do so', async (t) => {
  const { app, connect, lines, sandbox } = await startGateway(t, LONG);
  const bytes = await call('cometchat-uid-2');
  const [arriving, blocked] = [await connect(), await connect()];
  const replies = [text(arriving.client), text(blocked.client).catch(({ code }) => String(code))];
  for (const { client } of [arriving, blocked]) client.write(bytes.slice(0, -1));
  await until('two requests', () => app.shutdown.open.size === 2);
  sandbox.fault({ delayMs: 1500 });
  const taken = sandbox.nextCall();
  const { client } = await connect();
  client.write(await call());
  await taken;

  const start = performance.now();
  const closed = app.close();
  await until('a closed port', () => !app.server.listening);
  arriving.client.write(bytes.slice(-1));
  for (const reply of [replies[0], text(client)]) {
    t.match(await reply, /^HTTP\/1.1 200 OK[\s\S]*connection: close/i);
  }
  t.match(await replies[1], /^(?:ECONNRESET)?$/);
  await closed;
  t.ok(performance.now() - start >= 1000);
  t.match(lines.join(), /"level":"warn".*"requests":1,"msg":"cut off requests that did not arrive"/);
});

t.test('where no call is in flight, a request that is arriving has its second all the same', async (t) => {
  const { app, connect, lines } = await startGateway(t);
  const { client } = await connect();
  const reply = text(client).catch(({ code }) => String(code));
  client.write((await call()).slice(0, -1));
  await until('a request', () => app.shutdown.open.size === 1);
  const start = performance.now();
  await app.close();
  t.ok(performance.now() - start >= 1000);
  t.match(await reply, /^(?:ECONNRESET)?$/);
  t.match(lines.join(), /"level":"warn".*"requests":1,"msg":"cut off requests that did not arrive"/);
});

t.test('a reply that has begun before the shutdown does not keep its connection open', async (t) => {
  const body = new PassThrough();
  const { app, connect } = await startGateway(
    t,
    {},
    { extend: (app) => app.get('/slow', (_, reply) => reply.send(body)) },
  );
  const { client } = await connect();
  client.write('GET /slow HTTP/1.1\r\nHost: gateway\r\n\r\n');
  body.write('first');
  const [head] = await once(client, 'data');
  t.notMatch(String(head), /connection: close/i);
  const closed = app.close();
  body.end('last');
  t.match(await text(client), /last/);
  await closed;
});

t.test('while it drains every reply closes its connection, of an undecodable address too', async (t) => {
  const { app, get } = await startGateway(t);
  await app.shutdown.drain(0);
  for (const path of ['/livez', '/unknown', '/%zz']) {
    t.equal((await get(path)).headers.get('connection'), 'close', path);
  }
});

t.test('an idle connection is closed', async (t) => {
  const { app, connect } = await startGateway(t);
  const { client } = await connect();
  client.write(probe);
  await once(client, 'data');
  const ended = once(client, 'end');
  client.resume();
  await Promise.all([app.close(), ended]);
  t.pass('both have ended');
});

t.test('a request that is late on an open connection is served, and hears that it drains', async (t) => {
  const blocked = Promise.withResolvers<void>();
  // As a plugin would that has work of its own to finish.
  const { app, port, connect, sandbox } = await startGateway(
    t,
    {},
    { extend: (app) => app.addHook('preClose', () => blocked.promise) },
  );
  const [calling, probing] = [await connect(), await connect()];
  const closed = app.close();
  calling.client.write(await call());
  probing.client.write(probe);
  const [reply, unready] = await Promise.all([text(calling.client), text(probing.client)]);
  blocked.resolve();
  await closed;
  t.match(reply, /^HTTP\/1.1 200 OK[\s\S]*connection: close/i);
  t.equal(sandbox.calls.length, 1);
  t.match(unready, /^HTTP\/1.1 503 [\s\S]*retry-after: 1[\s\S]*"code":"gateway-draining"/);
  await isClosed(port);
});
