import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { API_KEY, callBytes, ME, sign } from '../helper.ts';
import { counts, failedAttempt, upstream } from './upstream.ts';

/** A client that sends the call, with `[]` to a conversation with itself, and can leave without waiting. */
async function client(port: number) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(callBytes(`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json'));
  return socket;
}
const SAME = { tags: [], conversationWith: ME };

t.test('30: the client has gone: the call is cancelled, and not made again', async (t) => {
  const { app, port, sandbox, requests } = await upstream(t);
  const before = await counts(app);
  const opened = new Promise<net.Socket>((resolve) => sandbox.onConnection(resolve));
  sandbox.play('09-silence', 2);
  const arrived = sandbox.nextCall();
  const socket = await client(port);
  await arrived;
  const closed = once(await opened, 'close');
  const left = performance.now();
  socket.destroy();
  await closed;
  t.ok(performance.now() - left < 1000, 'long before the attempt had ended by itself');
  await app.close();
  t.equal(sandbox.received, 1);
  t.match(requests(), [{ aborted: true, error: { type: 'client_gone' }, onBehalfOf: ME }]);
  t.equal(requests().length, 1);
  const after = await counts(app);
  t.equal(after.clients_gone, Number(before.clients_gone) + 1);
  t.equal(after['attempts client_gone'], 1);
  t.equal(after.retries, 0);
});

t.test('30: a client that leaves between two attempts ends them', async (t) => {
  const { app, port, sandbox } = await upstream(t, {}, { seams: { random: () => 1 } });
  sandbox.fault({ status: 503, times: 3 });
  const arrived = sandbox.nextCall();
  const socket = await client(port);
  await arrived;
  await failedAttempt(app);
  socket.destroy();
  while ((await counts(app)).clients_gone === 0) await wait(1);
  // Longer than the wait for the next attempt.
  await wait(250);
  t.equal(sandbox.received, 1);
});

t.test('30: a call that ends soon after its client has left is not cut off', async (t) => {
  const { app, port, sandbox } = await upstream(t);
  sandbox.fault({ delayMs: 50 });
  const arrived = sandbox.nextCall();
  const socket = await client(port);
  await arrived;
  socket.destroy();
  while ((await counts(app))['attempts ok'] !== 1) await wait(1);
  t.pass('so that what comes after it knows where it stands');
});

t.test('30: a call that others wait for goes on', async (t) => {
  const { port, put, sandbox } = await upstream(t);
  sandbox.fault({ delayMs: 400 });
  const arrived = sandbox.nextCall();
  const socket = await client(port);
  await arrived;
  const other = put(SAME);
  await wait(50);
  socket.destroy();
  t.equal((await other).status, 200);
  t.equal(sandbox.received, 1);
});

t.test('30: a client that had left before its call was begun costs none', async (t) => {
  const { app, port, sandbox, requests } = await upstream(
    t,
    {},
    {
      extend: (app) =>
        app.addHook('preHandler', async (request) => void (await once(request.raw.socket, 'close'))),
    },
  );
  const opened = once(app.server, 'connection');
  const socket = await client(port);
  await opened;
  await wait(20);
  socket.destroy();
  while (requests().length === 0) await wait(1);
  await wait(100);
  t.equal(sandbox.received, 0);
});

t.test('30: the same again, after its client has left, is a write of its own', async (t) => {
  const { app, port, put, sandbox } = await upstream(t, { COMETCHAT_ATTEMPT_TIMEOUT_MS: '500' });
  sandbox.play('09-silence');
  const arrived = sandbox.nextCall();
  const socket = await client(port);
  await arrived;
  socket.destroy();
  while ((await counts(app)).clients_gone === 0) await wait(1);
  t.equal((await put(SAME)).status, 200);
  t.equal(sandbox.received, 2);
});

t.test('30: the deadline of a client that has left means nothing to those who wait on', async (t) => {
  const { port, put, sandbox } = await upstream(t, {
    COMETCHAT_DEADLINE_MS: '1000',
    COMETCHAT_ATTEMPT_TIMEOUT_MS: '900',
  });
  sandbox.play('09-silence');
  sandbox.fault({ delayMs: 450 });
  const arrived = sandbox.nextCall();
  const socket = await client(port);
  await arrived;
  await wait(500);
  const other = put(SAME);
  await wait(50);
  socket.destroy();
  t.equal((await other).status, 200);
});

t.test('30: an exchange with the second key is cut off as well when nobody waits for it', async (t) => {
  const keys = { COMETCHAT_API_KEY_SECONDARY: `other-${API_KEY}` };
  const { app, port, sandbox } = await upstream(t, keys, { sandbox: { otherKeys: Object.values(keys) } });
  sandbox.fault({ delayMs: 100, status: 401 });
  sandbox.play('09-silence');
  const first = sandbox.nextCall();
  const socket = await client(port);
  await first;
  const second = sandbox.nextCall();
  socket.destroy();
  await second;
  const start = performance.now();
  while (!(await counts(app))['attempts client_gone']) await wait(1);
  t.ok(performance.now() - start < 1000, 'it is cut off');
});
