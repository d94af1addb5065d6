import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { build } from './helper.ts';

/** Checks the raw reply to something that never became a request. */
function isRawProblem(t: import('tap').Test, reply: string, status: number, code: string): void {
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  t.match(head, new RegExp(`^HTTP/1.1 ${status} `));
  t.match(head, /content-type: application\/problem\+json/);
  t.match(head, /connection: close/);
  const problem = JSON.parse(body);
  t.match(problem, { type: `urn:cometchat-gateway:problem:${code}`, status, code, requestId: /^[\w-]{36}$/ });
  t.ok(head.includes(`x-request-id: ${problem.requestId}`));
}

t.test('bytes that are no HTTP get a problem, and a line in the log', async (t) => {
  const { raw, requests, sandbox } = await build(t);
  const malformed: Record<string, string> = {
    'no HTTP at all': 'GARBAGE\r\n\r\n',
    'an unknown method': 'BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n',
    'a header without a colon': 'PUT /me/conversations/tags HTTP/1.1\r\nHost x\r\n\r\n',
    'a length that is no number': 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n',
    'length and chunks together':
      'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(malformed)) {
    t.comment(name);
    isRawProblem(t, await raw(bytes), 400, 'body-malformed');
    t.match(requests().at(-1), { status: 400, problem: 'body-malformed', error: { type: /^HPE_/ } });
  }
  t.equal(requests().length, Object.keys(malformed).length);
  t.equal(sandbox.calls.length, 0);
});

t.test('a header that is too large gets a 431 problem', async (t) => {
  const { raw } = await build(t);
  const reply = await raw(`GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
  isRawProblem(t, reply, 431, 'headers-too-large');
});

t.test('a request that does not arrive in time gets a 408 problem', async (t) => {
  const { raw } = await build(
    t,
    {},
    { server: { requestTimeout: 100, http: { connectionsCheckingInterval: 20 } } },
  );
  const start = 'PUT /me/conversations/tags HTTP/1.1\r\nHost: x\r\n';
  isRawProblem(t, await raw(start), 408, 'request-timeout');
});

t.test('a client that resets the connection harms nothing', async (t) => {
  const { port, get, app } = await build(t);
  const reset = once(app.server, 'clientError');
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('PUT /me');
  socket.resetAndDestroy();
  t.match(await reset, [{ code: 'ECONNRESET' }]);
  t.equal((await get('/livez')).status, 200);
});
