import net from 'node:net';
import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { build, isProblem } from '../helper.ts';
import { listening } from '../ports.ts';

t.test('the connections to CometChat end with the gateway', async (t) => {
  const { put, sandbox, app } = await build(t);
  const ended = new Promise((resolve) => sandbox.onConnection((socket) => socket.on('close', resolve)));
  await put({ tags: [] });
  const start = performance.now();
  await app.close();
  await ended;
  t.ok(performance.now() - start < 2000, 'long before CometChat closes them');
});

t.test('an answer that is no UTF-8', async (t) => {
  const body = JSON.stringify(DOCUMENTED_REPLY).replaceAll('Project', 'Projet caf\xe9');
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
  const server = net.createServer((socket) => socket.end(Buffer.from(head + body, 'latin1')));
  const port = await listening(t, server);
  const { put } = await build(t, { COMETCHAT_BASE_URL: `http://127.0.0.1:${port}` });
  isProblem(t, await put({ tags: [] }), 502, 'cometchat-reply-invalid');
});

t.test('an answer that is no HTTP', async (t) => {
  const server = net.createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  const port = await listening(t, server);
  const { put, requests } = await build(t, { COMETCHAT_BASE_URL: `http://127.0.0.1:${port}` });
  isProblem(t, await put({ tags: [] }), 502, 'cometchat-reply-invalid');
  t.match(requests(), [{ error: { type: /^HPE_/ } }]);
});
