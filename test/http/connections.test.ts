import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { timeouts } from '../../src/http/raw-errors.ts';
import { callBytes } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';

const START = 'PUT /me/conversations/tags HTTP/1.1\r\nHost: x\r\n';
const NO_SESSION = { reason: 'missing' } as const;
const CONNECT = 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n';

t.test('requests have ten seconds, idle connections more than a load balancer gives them', async (t) => {
  const { app } = await startGateway(t);
  t.match(app.server, { requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 72_000 });
});

t.test('a request that does not arrive in time gets 408, with a good session too', async (t) => {
  const { raw, refused, requests } = await startGateway(t, {}, { server: timeouts(100, 20) });
  const session = `Authorization: Bearer ${await sign()}\r\nContent-Type: application/json\r\n`;
  const slow = [
    'PUT /me',
    START,
    `${START}X-Slow: `,
    `${START}${session}Content-Length: 11\r\n\r\n`,
    `${START}${session}Content-Length: 12\r\n\r\n{"tags":[]}`,
    `${START}${session}Transfer-Encoding: chunked\r\n\r\n5\r\n{"tag`,
  ];
  const line = { error: { type: 'ERR_HTTP_REQUEST_TIMEOUT' } };
  for (const bytes of slow) await refused(t, () => raw(bytes), 408, 'request-timeout', { line });
  t.equal(requests().length, slow.length, 'one line each');
});

t.test('an answer that does not wait for a long body ends the connection', async (t) => {
  const { raw, refused } = await startGateway(t);
  const start = `${START}Content-Type: application/json\r\n`;
  for (const body of ['Content-Length: 1000000\r\n\r\n{', 'Transfer-Encoding: chunked\r\n\r\n1\r\n{']) {
    const { headers } = await refused(t, () => raw(start + body), 401, 'session-missing', NO_SESSION);
    t.equal(headers.get('connection'), 'close');
  }
});

t.test('an answer that does not wait for a short body keeps the connection', async (t) => {
  const { put, refused } = await startGateway(t);
  const send = () => put({ tags: [] }, { authorization: '' });
  const { headers } = await refused(t, send, 401, 'session-missing', NO_SESSION);
  t.equal(headers.get('connection'), 'keep-alive');
});

t.test('a client that resets the connection harms nothing', async (t) => {
  const { app, connect, served } = await startGateway(t);
  const reset = once(app.server, 'clientError');
  const { client } = await connect();
  client.write('PUT /me');
  client.resetAndDestroy();
  t.match(await reset, [{ code: 'ECONNRESET' }]);
  await served(t);
});

t.test('a client that has gone before it is refused harms nothing, and is no defect', async (t) => {
  const { connect, requests, served } = await startGateway(t);
  const leave = async (bytes: string) => {
    const { client, server } = await connect();
    const closed = new Promise((resolve) => server.once('close', resolve));
    client.write(bytes, () => client.resetAndDestroy());
    await closed;
  };
  const call = (token: string) =>
    callBytes(`Authorization: Bearer ${token}`, 'Content-Type: application/json');
  const expired = await sign({ exp: 1 });
  for (const bytes of [call(expired), call('nobody'), callBytes(), CONNECT, 'GARBAGE\r\n\r\n']) {
    for (let shot = 0; shot < 40; shot += 1) await leave(bytes);
  }
  await served(t);
  t.ok(requests().length > 40, 'many of them were read');
  t.notOk(requests().some(({ problem }) => problem === 'internal'));
});

t.test('a refused client that keeps its side open is let go of, silent or not', async (t) => {
  const { app, port, requests } = await startGateway(t);
  const refuse = async (bytes: string, more: string) => {
    const opened = once(app.server, 'connection');
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.write(bytes);
    const [server] = await opened;
    const closed = new Promise((resolve) => server.once('close', resolve));
    await once(client, 'data');
    if (more) client.write(more);
    return { client, closed };
  };
  const refused = [
    await refuse('GARBAGE\r\n\r\n', 'MORE GARBAGE\r\n\r\n'),
    await refuse('GARBAGE\r\n\r\n', ''),
    await refuse(CONNECT, ''),
  ];
  for (const { client, closed } of refused) {
    await closed;
    client.destroy();
  }
  t.equal(requests().length, refused.length, 'one line each');
});
