import { once } from 'node:events';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { build, callBytes, sign } from '../helper.ts';

/** The call as bytes, on a connection that the client would keep open. */
const call = async () => callBytes(`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json');
const probe = 'GET /readyz HTTP/1.1\r\nHost: gateway\r\n\r\n';

t.test('a call in flight is answered, and its connection closed', async (t) => {
  const { app, sandbox, port } = await build(t);
  sandbox.fault({ delayMs: 200 });
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const arrived = sandbox.nextCall();
  socket.write(await call());
  await arrived;
  const closed = app.close();
  const reply = await text(socket);
  await closed;
  t.match(reply, /^HTTP\/1.1 200 OK[\s\S]*connection: close[\s\S]*"conversations"/);
});

t.test('a reply that has begun before the shutdown does not keep its connection open', async (t) => {
  const body = new PassThrough();
  const { app, port } = await build(
    t,
    {},
    { extend: (app) => app.get('/slow', (_, reply) => reply.send(body)) },
  );
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /slow HTTP/1.1\r\nHost: gateway\r\n\r\n');
  body.write('first');
  const [head] = await once(socket, 'data');
  t.notMatch(String(head), /connection: close/i);
  const closed = app.close();
  body.end('last');
  t.match(await text(socket), /last/);
  await closed;
});

t.test(
  'while it drains every reply closes its connection, of an address that cannot be decoded too',
  async (t) => {
    const { app, get } = await build(t);
    await app.shutdown.drain(0);
    for (const path of ['/livez', '/unknown', '/%zz']) {
      t.equal((await get(path)).headers.get('connection'), 'close', path);
    }
  },
);

t.test('a request that does not arrive is cut off a second later, and the log says so', async (t) => {
  const { app, port, lines } = await build(t);
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write((await call()).slice(0, -1));
  while (app.shutdown.open.size === 0) await wait(1);
  const start = performance.now();
  const ended = once(socket, 'close');
  socket.resume();
  await Promise.all([app.close(), ended]);
  t.ok(performance.now() - start >= 1000, 'it had the time to arrive');
  t.match(lines.join(), /"level":"warn".*"requests":1,"msg":"cut off requests that did not arrive"/);
});

t.test('an idle connection is closed', async (t) => {
  const { app, port } = await build(t);
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(probe);
  await once(socket, 'data');
  const ended = once(socket, 'end');
  socket.resume();
  await Promise.all([app.close(), ended]);
  t.pass('both have ended');
});

t.test(
  'a request that is late on an open connection is served, and learns that the replica drains',
  async (t) => {
    let release = () => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    // As a plugin would that has work of its own to finish.
    const { app, port, sandbox } = await build(
      t,
      {},
      { extend: (app) => app.addHook('preClose', () => blocked) },
    );
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const probing = net.connect(port, '127.0.0.1');
    await once(probing, 'connect');
    const closed = app.close();
    socket.write(await call());
    probing.write(probe);
    const [reply, unready] = await Promise.all([text(socket), text(probing)]);
    release();
    await closed;
    t.match(reply, /^HTTP\/1.1 200 OK[\s\S]*connection: close/i);
    t.equal(sandbox.calls.length, 1);
    t.match(unready, /^HTTP\/1.1 503 [\s\S]*retry-after: 1[\s\S]*"code":"gateway-draining"/);
    const late = net.connect(port, '127.0.0.1');
    await t.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' });
  },
);
