import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net, { type LookupFunction } from 'node:net';
import { mock } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ExchangeError } from '../../src/base/exchange.ts';
import { httpClient } from '../../src/base/http-client.ts';
import { listening } from '../helpers/ports.ts';
import { startSandbox } from '../helpers/sandbox.ts';

const MAX_BYTES = 1_000_000;

/** A client whose connections end with the test. */
function clientOf(t: Test, url: string, options: Partial<Parameters<typeof httpClient>[1]> = {}) {
  const client = httpClient(url, { totalMs: 30_000, maxBytes: MAX_BYTES, ...options });
  t.teardown(client.close);
  return client;
}

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
    await t.rejects(clientOf(t, url).send(url), { code });
    t.equal(await end, 'cut off');
  }
});

t.test('a reply may have as many bytes as its own limit or the client’s, and not one more', async (t) => {
  const bytes = randomBytes(MAX_BYTES);
  const server = http.createServer(({ url }, response) => {
    response.write(bytes);
    response.end(url === '/longer' ? 'x' : undefined);
  });
  const origin = `http://127.0.0.1:${await listening(t, server)}`;
  const { send } = clientOf(t, origin);
  const { status, headers, body } = await send(`${origin}/`);
  t.equal(status, 200);
  t.equal(headers['transfer-encoding'], 'chunked');
  t.ok(bytes.equals(body), 'every byte of it, in order');
  await t.rejects(send(`${origin}/longer`), { code: 'reply_too_large' });
  t.equal((await send(`${origin}/longer`, { maxBytes: MAX_BYTES + 1 })).body.length, MAX_BYTES + 1);
  await t.rejects(send(`${origin}/`, { maxBytes: MAX_BYTES - 1 }), { code: 'reply_too_large' });
});

t.test('eight informational replies may come before the reply, and not one more', async (t) => {
  const server = http.createServer(({ url }, response) => {
    for (let n = 0; n < Number(url?.slice(1)); n += 1) response.writeProcessing();
    response.end();
  });
  const origin = `http://127.0.0.1:${await listening(t, server)}`;
  const { send } = clientOf(t, origin);
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
  const { send } = clientOf(t, url);
  const error = await send(url, { signal: AbortSignal.abort() }).catch((error: unknown) => error);
  t.ok(error instanceof ExchangeError);
  t.match(error, { code: 'client_gone' });
  t.equal((await send(url)).status, 200);
  t.equal(connections, 1, 'the other call’s');
});

t.test('nor where the connection comes after that', async (t) => {
  const asked = Promise.withResolvers<() => void>();
  const lookup: LookupFunction = (_name, _options, done) =>
    asked.resolve(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
  const server = net.createServer();
  const connected = once(server, 'connection');
  const url = `http://name.example:${await listening(t, server)}/`;
  const { send } = clientOf(t, url, { lookup });
  const gone = new AbortController();
  const sent = send(url, { signal: gone.signal });
  const goOn = await asked.promise;
  gone.abort();
  await t.rejects(sent, { code: 'client_gone' });
  goOn();
  const [socket] = await connected;
  const either = ['data', 'end'].map((event) => once(socket, event).then(() => event));
  t.equal(await Promise.race(either), 'end', 'nothing was sent');
});

t.test('an exchange that is over leaves no listener on the signal that could have cut it off', async (t) => {
  const server = http.createServer((_request, response) => response.end());
  const url = `http://127.0.0.1:${await listening(t, server)}/`;
  const nobody = 'http://127.0.0.1:1/';
  const { signal } = new AbortController();
  const added = t.capture(signal, 'addEventListener', signal.addEventListener);
  const removed = t.capture(signal, 'removeEventListener', signal.removeEventListener);
  t.equal((await clientOf(t, url).send(url, { signal })).status, 200);
  await t.rejects(clientOf(t, nobody).send(nobody, { signal }), { code: 'ECONNREFUSED' });
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
  const { send } = clientOf(t, url);
  mock.timers.enable({ apis: ['Date'], now: 1 });
  t.teardown(() => mock.timers.reset());
  for (const time of [1, 30_000, 60_001]) {
    mock.timers.setTime(time);
    await send(url);
    // The connection is free again in the next turn.
    await turn();
  }
  t.equal(opened, 1);
  mock.timers.setTime(60_002);
  await send(url);
  t.equal(opened, 2);
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
    ['http://name.example', 'timeout_connect', 200],
    [sandbox.origin, 'timeout_connect', 200],
    [`https://127.0.0.1:${await listening(t, mute)}`, 'timeout_connect', 200],
    [`http://${host}/silence`, 'timeout_response', 300],
    [`http://${host}/drips`, 'timeout_request', 300],
  ] as const;
  const neverFound: LookupFunction = () => {};

  // Time stands still until every exchange has come as far as it can, and then runs by the millisecond.
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const ended = new Map<string, unknown>();
    let now = 0;
    for (const [url] of cases) {
      const { send } = clientOf(t, url, { totalMs: 300, lookup: neverFound });
      send(url).catch(({ code }: ExchangeError) => ended.set(url, [code, now]));
    }
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
