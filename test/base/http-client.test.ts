import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import t, { type Test } from 'tap';
import { BrokenOff, boundedHttp } from '../../src/base/http-client.ts';
import { listening } from '../ports.ts';

// What a call says when it is refused is in test/faults/06 to 20; here is what becomes of its connection.

const LIMITS = { totalMs: 30_000, maxBytes: 1_000_000 };

/** More pieces than fit between two sockets, so that somebody has read when all are sent. */
const MANY = 1000;

/** A server that answers with these bytes, and then with these again and again; `end` says how it came to an end. */
async function longWinded(t: Test, head: string, piece: string) {
  const { promise: end, resolve } = Promise.withResolvers<'cut off' | 'heard out'>();
  const server = net.createServer((socket) => {
    let left = MANY;
    const goOn = () => {
      while (left > 0 && socket.writable) {
        left -= 1;
        if (!socket.write(piece)) return;
      }
      if (left === 0) resolve('heard out');
    };
    socket.on('error', () => {});
    socket.on('drain', goOn);
    socket.once('close', () => resolve('cut off'));
    socket.once('data', () => {
      socket.write(head);
      goOn();
    });
  });
  return { url: `http://127.0.0.1:${await listening(t, server)}/`, end };
}

t.test('who sends without end is not heard out', async (t) => {
  const cases = [
    ['reply_too_large', 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(60_000)],
    ['reply_informational', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000)],
    ['reply_upgrade', 'HTTP/1.1 101 Else\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 'x'.repeat(60_000)],
  ] as const;
  for (const [code, head, piece] of cases) {
    const { url, end } = await longWinded(t, head, piece);
    await t.rejects(boundedHttp(LIMITS)(url), { code });
    t.equal(await end, 'cut off');
  }
});

t.test('a reply may be as long as it may, and no byte longer', async (t) => {
  const bytes = randomBytes(LIMITS.maxBytes);
  const server = http.createServer(({ url }, response) => {
    response.write(bytes);
    response.end(url === '/longer' ? 'x' : undefined);
  });
  const origin = `http://127.0.0.1:${await listening(t, server)}`;
  const call = boundedHttp(LIMITS);
  const { status, headers, body } = await call(`${origin}/`);
  t.equal(status, 200);
  t.equal(headers['transfer-encoding'], 'chunked');
  t.ok(bytes.equals(body), 'every byte of it, in order');
  await t.rejects(call(`${origin}/longer`), { code: 'reply_too_large' });
});

t.test('nothing is sent for whoever has left before', async (t) => {
  let connections = 0;
  const server = http.createServer((_request, response) => response.end());
  server.on('connection', () => {
    connections += 1;
  });
  const url = `http://127.0.0.1:${await listening(t, server)}/`;
  const call = boundedHttp(LIMITS);
  const error = await call(url, { signal: AbortSignal.abort() }).catch((error) => error);
  t.ok(error instanceof BrokenOff);
  t.equal((await call(url)).status, 200);
  t.equal(connections, 1, 'the other call’s');
});

t.test('a call that is over leaves nothing on the signal that might have broken it off', async (t) => {
  const server = http.createServer((_request, response) => response.end());
  const port = await listening(t, server);
  const call = boundedHttp(LIMITS);
  const { signal } = new AbortController();
  const added = t.capture(signal, 'addEventListener', signal.addEventListener);
  const removed = t.capture(signal, 'removeEventListener', signal.removeEventListener);
  t.equal((await call(`http://127.0.0.1:${port}/`, { signal })).status, 200);
  await t.rejects(call('http://127.0.0.1:1/', { signal }), { code: 'ECONNREFUSED' });
  t.strictSame(
    removed().map(({ args }) => args),
    added().map(({ args }) => args),
  );
});
