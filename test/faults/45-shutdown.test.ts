import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { Child, startGateway } from '../child.ts';
import { callBytes, environment, isProblem, parseAnswer, sign } from '../helper.ts';
import { listening } from '../ports.ts';

const call = async () => callBytes(`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json');
const probe = 'GET /readyz HTTP/1.1\r\nHost: gateway\r\n\r\n';

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

t.test('it drains: not ready any more, it serves on, and tells every client to go', async (t) => {
  const { child, port } = await startGateway(t, { SHUTDOWN_DRAIN_MS: '500' });
  const idle = await connected(t, port, probe);
  const late = await connected(t, port, probe);
  await Promise.all([idle.answered, late.answered]);
  child.process.kill('SIGTERM');
  const signalled = performance.now();
  await child.says(/"signal":"SIGTERM","msg":"shutting down"/);
  const probing = await connected(t, port, probe);
  isProblem(t, parseAnswer(await probing.reply), 503, 'gateway-draining');
  const fresh = await connected(t, port, await call());
  late.socket.write(await call());
  for (const reply of [await fresh.reply, await late.reply]) {
    t.match(reply.slice(reply.lastIndexOf('HTTP/1.1')), /^HTTP\/1.1 200 OK[\s\S]*connection: close/);
  }
  t.match(await idle.reply, /^HTTP\/1.1 200 /, 'the idle connection is closed');
  t.equal(await child.exit(), 0);
  t.ok(performance.now() - signalled >= 500);
});

t.test('a call in flight is answered, and a client that blocks a connection is not waited for', async (t) => {
  const { child, sandbox, port } = await startGateway(t);
  sandbox.fault({ delayMs: 300 });
  const arrived = sandbox.nextCall();
  const inFlight = await connected(t, port, await call());
  await arrived;
  const unfinished = ['', 'PUT /me/conv', (await call()).slice(0, -1)];
  const blocked = await Promise.all(unfinished.map((bytes) => connected(t, port, bytes)));
  child.process.kill('SIGTERM');
  t.match(await inFlight.reply, /^HTTP\/1.1 200 OK[\s\S]*connection: close/);
  t.equal(await child.exit(), 0);
  for (const { reply } of blocked) t.match(await reply, /^(?:ECONNRESET)?$/, 'it got no answer');
});

t.test('a request that is on its way in when the drain is over arrives, and is answered', async (t) => {
  const { child, port } = await startGateway(t);
  const bytes = (await call()).replace('Host:', 'Expect: 100-continue\r\nHost:');
  const { socket, answered, reply } = await connected(t, port, bytes.slice(0, -1));
  // The header has arrived when this is answered.
  await answered;
  child.process.kill('SIGTERM');
  await child.says(/shutting down/);
  socket.write(bytes.slice(-1));
  t.match(await reply, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  t.equal(await child.exit(), 0);
});

t.test('a call that hangs past the grace is cut off, and the log says so', async (t) => {
  const { child, sandbox, port } = await startGateway(t, {
    COMETCHAT_DEADLINE_MS: '60000',
    COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000',
    SHUTDOWN_DEADLINE_MS: '300',
  });
  sandbox.fault({ delayMs: 60_000 });
  const arrived = sandbox.nextCall();
  const { reply } = await connected(t, port, await call());
  await arrived;
  child.process.kill('SIGTERM');
  const signalled = performance.now();
  t.equal(await child.exit(), 1);
  t.ok(performance.now() - signalled < 5000, 'in less than a second');
  t.match(await reply, /^(?:ECONNRESET)?$/);
  t.equal(sandbox.received, 1);
  t.match(child.stdout, /"level":"error".*"calls":1,"msg":"the shutdown took too long/);
});

t.test('Ctrl-C does not wait for other replicas to take over', async (t) => {
  const { child } = await startGateway(t, { SHUTDOWN_DRAIN_MS: '60000', SHUTDOWN_DEADLINE_MS: '61000' });
  child.process.kill('SIGINT');
  t.equal(await child.exit(), 0);
});

t.test('a second signal ends it at once', async (t) => {
  const { child, sandbox, call } = await startGateway(t);
  sandbox.fault({ delayMs: 60_000 });
  const arrived = sandbox.nextCall();
  const inFlight = call();
  await arrived;
  child.process.kill('SIGTERM');
  await child.says(/shutting down/);
  child.process.kill('SIGTERM');
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
});

t.test('a signal during the start ends it, before it serves anybody', async (t) => {
  const provider = http.createServer();
  const url = `http://127.0.0.1:${await listening(t, provider)}/jwks.json`;
  const { SESSION_SECRET: _, ...env } = environment('https://chat.example');
  const child = new Child(t, ['src/main.ts'], { ...env, SESSION_JWKS_URL: url });
  // It asks for the keys before it listens, and waits for them.
  await once(provider, 'request');
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
  t.notMatch(child.stdout, /listening|ready/);
});
