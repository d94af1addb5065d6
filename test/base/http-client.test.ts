import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { mock } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ExchangeError, httpClient, keptConnections } from '../../src/base/http-client.ts';
import { listening } from '../helpers/ports.ts';
import { startSandbox } from '../helpers/sandbox.ts';

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

t.test('a server that sends without end is cut off', async (t) => {
  const cases = [
    ['reply_too_large', 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(60_000)],
    ['reply_informational', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000)],
    ['reply_upgrade', 'HTTP/1.1 101 Else\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 'x'.repeat(60_000)],
  ] as const;
  for (const [code, head, piece] of cases) {
    const { url, end } = await longWinded(t, head, piece);
    await t.rejects(httpClient(LIMITS)(url), { code });
    t.equal(await end, 'cut off');
  }
});

t.test('a reply may have as many bytes as its limit, and not one more', async (t) => {
  const bytes = randomBytes(LIMITS.maxBytes);
  const server = http.createServer(({ url }, response) => {
    response.write(bytes);
    response.end(url === '/longer' ? 'x' : undefined);
  });
  const origin = `http://127.0.0.1:${await listening(t, server)}`;
  const send = httpClient(LIMITS);
  const { status, headers, body } = await send(`${origin}/`);
  t.equal(status, 200);
  t.equal(headers['transfer-encoding'], 'chunked');
  t.ok(bytes.equals(body), 'every byte of it, in order');
  await t.rejects(send(`${origin}/longer`), { code: 'reply_too_large' });
});

t.test('eight informational replies may come before the reply, and not one more', async (t) => {
  const server = http.createServer(({ url }, response) => {
    for (let n = 0; n < Number(url?.slice(1)); n += 1) response.writeProcessing();
    response.end();
  });
  const origin = `http://127.0.0.1:${await listening(t, server)}`;
  const send = httpClient(LIMITS);
  t.equal((await send(`${origin}/8`)).status, 200);
  await t.rejects(send(`${origin}/9`), { code: 'reply_informational' });
});

t.test('nothing is sent once the signal is aborted', async (t) => {
  let connections = 0;
  const server = http.createServer((_request, response) => response.end());
  server.on('connection', () => {
    connections += 1;
  });
  const url = `http://127.0.0.1:${await listening(t, server)}/`;
  const send = httpClient(LIMITS);
  const error = await send(url, { signal: AbortSignal.abort() }).catch((error: unknown) => error);
  t.ok(error instanceof ExchangeError);
  t.match(error, { code: 'client_gone' });
  t.equal((await send(url)).status, 200);
  t.equal(connections, 1, 'the other call’s');
});

t.test('an exchange that is over leaves no listener on the signal that could have cut it off', async (t) => {
  const server = http.createServer((_request, response) => response.end());
  const port = await listening(t, server);
  const send = httpClient(LIMITS);
  const { signal } = new AbortController();
  const added = t.capture(signal, 'addEventListener', signal.addEventListener);
  const removed = t.capture(signal, 'removeEventListener', signal.removeEventListener);
  t.equal((await send(`http://127.0.0.1:${port}/`, { signal })).status, 200);
  await t.rejects(send('http://127.0.0.1:1/', { signal }), { code: 'ECONNREFUSED' });
  t.strictSame(
    removed().map(({ args }) => args),
    added().map(({ args }) => args),
  );
});

t.test('a connection is not used again after a minute, so that a name that moves is followed', async (t) => {
  let opened = 0;
  const server = http.createServer((_request, response) => response.end());
  server.on('connection', () => {
    opened += 1;
  });
  const url = `http://127.0.0.1:${await listening(t, server)}/`;
  let now = 0;
  const connections = keptConnections(undefined, () => now);
  t.teardown(() => connections.http.destroy());
  const send = httpClient(LIMITS, connections);
  for (const time of [0, 30_000, 59_999]) {
    now = time;
    await send(url);
  }
  t.equal(opened, 1);
  now = 60_000;
  await send(url);
  await send(url);
  t.equal(opened, 2, 'the exchange that its minute ended with was its last');
});

t.test('the code of a time-out tells how far the exchange had come', async (t) => {
  const server = http.createServer(({ url }, response) => {
    if (url === '/drips') response.write('x');
  });
  const host = `127.0.0.1:${await listening(t, server)}`;
  const mute = net.createServer((socket) => t.teardown(() => socket.destroy()));
  const sandbox = await startSandbox(t);
  await sandbox.link('hung');
  const cases = [
    ['http://name.example', 'timeout_lookup', 200],
    [sandbox.origin, 'timeout_connect', 200],
    [`https://127.0.0.1:${await listening(t, mute)}`, 'timeout_secureConnect', 200],
    [`http://${host}/silence`, 'timeout_response', 290],
    [`http://${host}/drips`, 'timeout_request', 300],
  ] as const;
  const neverFound = keptConnections(() => {});
  const send = httpClient({ ...LIMITS, totalMs: 300 }, neverFound);

  // got's time stands still until every exchange has come as far as it can, and then runs by the millisecond.
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  try {
    const ended = new Map<string, unknown>();
    let now = 0;
    for (const [url] of cases) send(url).catch(({ code }: ExchangeError) => ended.set(url, [code, now]));
    for (let n = 0; n < 20; n += 1) await wait(5);
    while (now < 310) {
      now += 1;
      mock.timers.tick(1);
      await turn();
    }
    for (const [url, code, afterMs] of cases) t.strictSame(ended.get(url), [code, afterMs]);
  } finally {
    mock.timers.reset();
  }
});

t.test(
  'without connections of its own, a client uses those that Node.js keeps for the process',
  async (t) => {
    const server = http.createServer((_request, response) => response.end());
    const port = await listening(t, server);
    await httpClient(LIMITS)(`http://127.0.0.1:${port}/`);
    const names = Object.keys({ ...http.globalAgent.sockets, ...http.globalAgent.freeSockets });
    t.ok(
      names.some((name) => name.includes(`:${port}:`)),
      'which follow the proxy variables of Node.js, and end when idle',
    );
  },
);
