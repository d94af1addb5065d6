import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { keepAliveAgents } from '../../src/cometchat/agents.ts';
import { CometChatClient } from '../../src/cometchat/client.ts';
import { type CometChatId, cometChatId } from '../../src/cometchat/conversation.ts';
import { API_KEY, build, edges, isProblem } from '../helper.ts';
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

t.test('an error that is not the connection’s is not mistaken for one', async (t) => {
  const config = { baseUrl: 'http://127.0.0.1', apiKeys: { current: [API_KEY] }, attemptTimeoutMs: 100 };
  const client = new CometChatClient(
    { ...config, deadlineMs: 100, maxConcurrency: 1, callsPerMinute: 1 },
    edges(),
  );
  const id = cometChatId('a') as CometChatId;
  // @ts-expect-error tags that are no JSON, which the types do not let through
  await t.rejects(client.updateTags(id, { type: 'user', id }, [1n]), TypeError);
  client.close();
});

t.test('a connection is not used again after a minute, so that a name that moves is followed', async (t) => {
  let opened = 0;
  const server = http.createServer((_request, response) => response.end());
  server.on('connection', () => {
    opened += 1;
  });
  const port = await listening(t, server);
  let now = 0;
  const agents = keepAliveAgents(undefined, () => now);
  t.teardown(() => agents.http.destroy());
  const call = async () => {
    const [response] = await once(http.get({ port, host: '127.0.0.1', agent: agents.http }), 'response');
    await once(response.resume(), 'close');
  };
  for (const time of [0, 30_000, 59_999]) {
    now = time;
    await call();
  }
  t.equal(opened, 1);
  now = 60_000;
  await call();
  await call();
  t.equal(opened, 2, 'the call that it ended with was its last');
});
