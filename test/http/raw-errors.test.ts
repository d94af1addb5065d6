import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { build, callBytes, isProblem, parseAnswer, sign } from '../helper.ts';

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

t.test('a request without Host is malformed, but for HTTP/1.0', async (t) => {
  const { raw, requests } = await build(t);
  const refused = await raw('GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n');
  t.match(refused, /^HTTP\/1.1 400 [\s\S]*problem\+json[\s\S]*"code":"body-malformed"/);
  t.match(requests(), [{ status: 400, problem: 'body-malformed' }]);
  const two = await raw('GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n');
  t.match(two, /^HTTP\/1.1 400 [\s\S]*"code":"body-malformed"/);
  t.match(await raw('GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200 /);
});

t.test('an expectation that nobody knows is left unmet, and the request served', async (t) => {
  const { raw } = await build(t);
  const start = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
  t.match(await raw(`${start}Expect: the-unexpected\r\n\r\n`), /^HTTP\/1.1 200 /);
});

t.test('CONNECT gets a problem: this is no proxy', async (t) => {
  const { raw, requests } = await build(t);
  const reply = await raw('CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n');
  isRawProblem(t, reply, 404, 'route-not-found');
  t.match(requests(), [{ status: 404, problem: 'route-not-found', error: { type: 'CONNECT' } }]);
});

t.test('an upgrade that nobody offers is left alone, and the request served', async (t) => {
  const { raw } = await build(t);
  const start = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\n';
  t.match(await raw(`${start}Upgrade: websocket\r\n\r\n`), /^HTTP\/1.1 200 /);
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

t.test('a client that has gone before it is refused harms nothing, and is no defect', async (t) => {
  const { app, port, get, requests } = await build(t);
  const expired = await sign({ exp: 1 });
  const session = (token: string) =>
    callBytes(`Authorization: Bearer ${token}`, 'Content-Type: application/json');
  const leave = async (bytes: string) => {
    const accepted = once(app.server, 'connection');
    const socket = net.connect(port, '127.0.0.1');
    socket.write(bytes, () => socket.resetAndDestroy());
    const [connection] = await accepted;
    if (!connection.closed) await new Promise((resolve) => connection.once('close', resolve));
  };
  const connect = 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n';
  for (const bytes of [session(expired), session('nobody'), callBytes(), connect, 'GARBAGE\r\n\r\n']) {
    for (let shot = 0; shot < 40; shot += 1) await leave(bytes);
  }
  t.equal((await get('/livez')).status, 200);
  t.ok(requests().length > 40, 'many of them were read');
  t.notOk(requests().some(({ problem }) => problem === 'internal'));
});

t.test('an address is never taken for a pattern, whatever it looks like', async (t) => {
  const { raw, requests } = await build(t);
  for (const path of [
    '/:a(',
    '/:a([)',
    '/*x',
    '/:a((a+)+$)',
    `/:a(${'eyJ'.repeat(5000)}`,
    '/livez/',
    '/LIVEZ',
  ]) {
    const reply = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    t.match(reply, /^HTTP\/1.1 404 [\s\S]*"code":"route-not-found"/, path.slice(0, 20));
    t.notOk(JSON.stringify(requests().at(-1)).includes(path));
  }
});

t.test('an address that cannot be decoded is refused like any other, with its line in the log', async (t) => {
  const { raw, requests } = await build(t);
  const { headers, json, status } = parseAnswer(
    await raw('GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
  );
  t.equal(status, 404);
  t.equal(headers.get('x-request-id'), json.requestId);
  t.match(requests(), [{ requestId: json.requestId, status: 404, problem: 'route-not-found' }]);
});

t.test('what stands behind the question mark is no part of the address', async (t) => {
  const { get } = await build(t);
  t.equal((await get('/livez?a=1', { method: 'POST' })).status, 405);
  t.equal((await get('/livez?a=1')).status, 200);
});

t.test('an unknown address or a wrong method is told so whatever the body is', async (t) => {
  const { raw } = await build(t);
  const ask = (line: string, type = '') =>
    raw(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${type}Content-Length: 1\r\n\r\n{`);
  for (const type of [
    '',
    'Content-Type: application/json\r\n',
    'Content-Type: what/ever\r\n',
    'Content-Type: ;\r\n',
  ]) {
    t.match(await ask('POST /nothing', type), /^HTTP\/1.1 404 [\s\S]*"code":"route-not-found"/);
    for (const method of ['POST', 'QUERY', 'PROPFIND']) {
      t.match(
        await ask(`${method} /livez`, type),
        /^HTTP\/1.1 405 [\s\S]*"code":"method-not-allowed"/,
        method,
      );
    }
  }
});

t.test('a refused client that keeps its side open is let go of', async (t) => {
  const { app, port, requests } = await build(t);
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const opened = once(app.server, 'connection');
  socket.write('GARBAGE\r\n\r\n');
  const [connection] = await opened;
  const closed = new Promise((resolve) => connection.on('close', resolve));
  await once(socket, 'data');
  socket.write('MORE GARBAGE\r\n\r\n');
  await closed;
  t.equal(requests().length, 1);
  socket.destroy();
});

t.test('a refused client that keeps its side open and says no more is let go of as well', async (t) => {
  for (const bytes of ['GARBAGE\r\n\r\n', 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n']) {
    const { app, port } = await build(t);
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const opened = once(app.server, 'connection');
    socket.write(bytes);
    const [connection] = await opened;
    const closed = once(connection, 'close').then(() => 'closed');
    await once(socket, 'data');
    t.equal(await Promise.race([closed, wait(4000, 'open')]), 'closed');
    socket.destroy();
  }
});

t.test('chunk extensions without end are cut off', async (t) => {
  const { raw } = await build(t);
  const start = 'PUT /me/conversations/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n';
  const session = `Authorization: Bearer ${await sign()}\r\nContent-Type: application/json\r\n`;
  isRawProblem(t, await raw(`${start}${session}\r\n1;${'x'.repeat(20_000)}`), 413, 'body-too-large');
});

t.test('requests have ten seconds, idle connections more than a load balancer gives them', async (t) => {
  const { app } = await build(t);
  t.match(app.server, { requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 72_000 });
});

t.test('a reply that does not wait for a long body ends the connection', async (t) => {
  const { raw, requests } = await build(t);
  const start = 'PUT /me/conversations/tags HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  for (const body of ['Content-Length: 1000000\r\n\r\n{', 'Transfer-Encoding: chunked\r\n\r\n1\r\n{']) {
    t.match(await raw(start + body), /^HTTP\/1.1 401 [\s\S]*connection: close/i);
  }
  t.equal(requests().length, 2);
});

t.test('a reply that does not wait for a short body keeps the connection', async (t) => {
  const { put } = await build(t);
  const answer = await put({ tags: [] }, { authorization: '' });
  t.equal(answer.status, 401);
  t.equal(answer.headers.get('connection'), 'keep-alive');
});

t.test(
  'a malformed request is no failure of its address, and an unknown address needs no Host',
  async (t) => {
    const { raw, put } = await build(t, { RATE_LIMIT_PER_MINUTE: '1' });
    const noHost = callBytes('Connection: close').replace('Host: gateway\r\n', '');
    for (const _ of [1, 2, 3]) {
      const answer = parseAnswer(await raw(noHost));
      isProblem(t, answer, 400, 'body-malformed');
      t.equal(answer.headers.get('ratelimit'), null);
    }
    isProblem(t, await put({ tags: [] }, { authorization: 'Bearer nobody' }), 401, 'session-invalid');
    const unknown = noHost.replace('/me/conversations/tags', '/nothing');
    isProblem(t, parseAnswer(await raw(unknown)), 404, 'route-not-found');
  },
);
