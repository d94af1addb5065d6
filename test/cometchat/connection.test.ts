import net from 'node:net';
import t from 'tap';
import { CometChatClient } from '../../src/cometchat/client.ts';
import { type CometChatId, cometChatId } from '../../src/cometchat/contract.ts';
import { API_KEY, build, isProblem } from '../helper.ts';
import { listening } from '../ports.ts';
import { DOCUMENTED_REPLY } from '../sandbox/world.ts';

t.test('nobody listens at CometChat’s address', async (t) => {
  const { put, sandbox, requests } = await build(t);
  await sandbox.close();
  isProblem(t, await put({ tags: [] }), 502, 'cometchat-failed');
  t.match(requests(), [{ problem: 'cometchat-failed', error: { type: 'ECONNREFUSED' } }]);
});

t.test('CometChat’s name is not known', async (t) => {
  const { put, requests } = await build(t, {
    COMETCHAT_BASE_URL: `https://${'too-long-for-a-label'.repeat(4)}.example/v3`,
  });
  isProblem(t, await put({ tags: [] }), 502, 'cometchat-failed');
  t.match(requests(), [{ error: { type: /^(ENOTFOUND|EAI_AGAIN)$/ } }]);
});

t.test('the connection breaks off, before the answer and in it', async (t) => {
  const { put, sandbox, requests } = await build(t);
  for (const reset of ['before-headers', 'in-body'] as const) {
    sandbox.fault({ reset });
    isProblem(t, await put({ tags: [] }), 502, 'cometchat-failed');
    t.match(requests().at(-1), { error: { type: /^(ECONNRESET|ERR_HTTP_CONTENT_LENGTH_MISMATCH)$/ } });
  }
  t.equal(sandbox.calls.length, 2, 'nothing is sent twice');
});

t.test('no answer in time, from the first byte on or in the middle of the body', async (t) => {
  const { put, sandbox, requests } = await build(t, { COMETCHAT_ATTEMPT_TIMEOUT_MS: '100' });
  for (const fault of [{ delayMs: 60_000 }, { dripMs: 20 }]) {
    sandbox.fault(fault);
    isProblem(t, await put({ tags: [] }), 504, 'cometchat-timeout');
    t.match(requests().at(-1), { error: { type: /^timeout_/ } });
  }
  t.equal(sandbox.calls.length, 2);
});

t.test('the deadline holds where it is shorter than a try', async (t) => {
  const { put, sandbox } = await build(t, {
    COMETCHAT_DEADLINE_MS: '100',
    COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000',
  });
  sandbox.fault({ delayMs: 60_000 });
  isProblem(t, await put({ tags: [] }), 504, 'cometchat-timeout');
});

t.test('CometChat’s host takes the connection and never finishes the TLS handshake', async (t) => {
  const silent = net.createServer((socket) => t.teardown(() => socket.destroy()));
  const port = await listening(t, silent);
  const env = { COMETCHAT_BASE_URL: `https://127.0.0.1:${port}`, COMETCHAT_ATTEMPT_TIMEOUT_MS: '150' };
  const { put, requests } = await build(t, env);
  isProblem(t, await put({ tags: [] }), 504, 'cometchat-timeout');
  t.match(requests(), [{ error: { type: 'timeout_secureConnect' } }]);
});

t.test('the connections to CometChat end with the gateway', async (t) => {
  const { put, sandbox, app } = await build(t);
  const ended = new Promise((resolve) => sandbox.onConnection((socket) => socket.on('close', resolve)));
  await put({ tags: [] });
  await app.close();
  await ended;
  t.pass('its idle connection is closed');
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
  isProblem(t, await put({ tags: [] }), 502, 'cometchat-failed');
  t.match(requests(), [{ error: { type: /^HPE_/ } }]);
});

t.test('an error that is not the connection’s is not mistaken for one', async (t) => {
  const client = new CometChatClient({
    baseUrl: 'http://127.0.0.1',
    apiKey: API_KEY,
    deadlineMs: 100,
    attemptTimeoutMs: 100,
  });
  const id = cometChatId('a') as CometChatId;
  // @ts-expect-error tags that are no JSON, which the types do not let through
  await t.rejects(client.updateTags(id, { type: 'user', id }, [1n]), TypeError);
  client.close();
});
