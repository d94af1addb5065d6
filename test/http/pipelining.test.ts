import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import { Connection } from '../../src/http/connections.ts';
import { timeouts } from '../../src/http/raw-errors.ts';
import { isProblem, parseAnswer } from '../helpers/answers.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

// A client that pipelines sends its next request before the last one is answered.

const START = 'PUT /me/conversations/tags HTTP/1.1\r\nHost: x\r\n';
const LIVE = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
const LAST = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const MAX_UNDER_WAY = 16;

const statuses = (bytes: string) =>
  [...bytes.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

/** A write that CometChat answers with 404, as it does not know this user. */
async function put(number: number): Promise<string> {
  const body = JSON.stringify({ tags: ['a'], conversationWith: `stranger-${number}` });
  const fields = `Authorization: Bearer ${await sign()}\r\nContent-Type: application/json`;
  return `${START}${fields}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function puts(count: number): Promise<string> {
  const all = await Promise.all(Array.from({ length: count }, (_, number) => put(number)));
  return all.join('');
}

/** Sends bytes while CometChat keeps its first call, and lets it go on when the log has the rejection. */
async function sendWhileHeld({ sandbox, raw, requests }: Gateway, bytes: string): Promise<string> {
  const release = sandbox.hold();
  const arrived = sandbox.nextCall();
  const reply = raw(bytes);
  await arrived;
  await until('a rejection', () => requests().some(({ msg }) => msg === 'no whole request'));
  release();
  return reply;
}

t.test('requests that come without waiting are answered in their order', async (t) => {
  const { raw } = await startGateway(t);
  const reply = await raw(`${await put(1)}${LIVE}GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n${LAST}`);
  t.strictSame(statuses(reply), [404, 200, 404, 200]);
});

t.test('what is broken is answered after the good requests before it', async (t) => {
  const broken = [
    ['GARBAGE\r\n\r\n', 400, 'body-malformed'],
    ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 404, 'route-not-found'],
    [`GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`, 431, 'headers-too-large'],
    ['GET /livez HTTP/1.1\r\n\r\n', 400, 'body-malformed'],
    [`${START}Transfer-Encoding: gzip, chunked\r\n\r\n`, 400, 'body-malformed'],
  ] as const;
  for (const [bytes, status, code] of broken) {
    const gateway = await startGateway(t);
    const reply = await sendWhileHeld(gateway, (await put(1)) + bytes + LIVE);
    t.strictSame(statuses(reply), [404, status], bytes.slice(0, 20));
    isProblem(t, parseAnswer(reply), status, code);
  }
});

t.test('so is a request whose body breaks', async (t) => {
  const gateway = await startGateway(t);
  const fields = `Authorization: Bearer ${await sign()}\r\nContent-Type: application/json`;
  const chunked = `${START}${fields}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`;
  const reply = await sendWhileHeld(gateway, (await put(1)) + chunked);
  t.strictSame(statuses(reply), [404, 400]);
  t.equal(gateway.sandbox.received, 1);
});

t.test('a request that was answered before its body has come gets no second reply', async (t) => {
  const { raw, counted, requests } = await startGateway(t, {}, { server: timeouts(100, 20) });
  const reply = await raw(`${START}Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{`);
  t.strictSame(statuses(reply), [401]);
  await counted('problems request-timeout');
  t.equal(requests().at(-1)?.problem, 'request-timeout', 'the log says why it was closed');
});

t.test(`a connection has ${MAX_UNDER_WAY} requests under way, and one more ends it`, async (t) => {
  const gateway = await startGateway(t);
  const reply = await sendWhileHeld(gateway, await puts(MAX_UNDER_WAY + 20));
  t.strictSame(statuses(reply), [...Array(MAX_UNDER_WAY).fill(404), 429]);
  const answer = parseAnswer(reply);
  isProblem(t, answer, 429, 'rate-limited');
  t.match(answer.json.detail, 'Too many requests on this connection');
  t.equal(answer.headers.get('retry-after'), '1');
  t.equal(gateway.sandbox.received, MAX_UNDER_WAY);
  t.match(
    gateway.requests().find(({ problem }) => problem),
    { error: { type: 'PIPELINING' } },
  );
});

t.test('line breaks without end before a request fill no memory', async (t) => {
  const socket = new PassThrough().on('data', () => {});
  const connection = new Connection(socket as unknown as Socket, MACHINE_CLOCK);
  for (let n = 0; n < 100; n += 1) socket.write(Buffer.alloc(64 * 1024, '\r\n'));
  await until('all bytes', () => socket.readableLength === 0);
  t.ok(connection.head.length > 0 && connection.head.length <= 33 * 1024, `${connection.head.length}`);
  const { raw } = await startGateway(t);
  t.strictSame(statuses(await raw(`${'\r\n'.repeat(100_000)}${LAST}`)), [200]);
});

t.test('a client that waits for the replies may send as many as it likes', async (t) => {
  const { connect } = await startGateway(t);
  const { client } = await connect();
  for (let sent = 0; sent < 3 * MAX_UNDER_WAY; sent += 1) {
    client.write(LIVE);
    const [reply] = await once(client, 'data');
    t.match(String(reply), /^HTTP\/1.1 200/);
  }
  client.destroy();
});

t.test('requests that come while the client does not read are kept until it does', async (t) => {
  const { connect } = await startGateway(
    t,
    {},
    { extend: (app) => app.get('/big', async () => 'x'.repeat(2 ** 25)) },
  );
  const { client, server } = await connect();
  client.pause();
  client.write(LIVE.replace('/livez', '/big'));
  await until('a reply that waits', () => server.writableNeedDrain);
  client.write([LIVE, `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(2000)}\r\n\r\n`, LAST].join(''));
  t.strictSame(statuses(await text(client)), [200, 200, 200, 200]);
});
