import { once } from 'node:events';
import http from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { listening } from '../helpers/ports.ts';
import { startSandbox } from '../helpers/sandbox.ts';

/** The connections that are opened to a sandbox from now on. */
function connectionsOf(sandbox: Sandbox): Socket[] {
  const sockets: Socket[] = [];
  sandbox.onConnection((socket) => sockets.push(socket));
  return sockets;
}

t.test('calls one after the other share a connection', async (t) => {
  const { setTags, sandbox } = await startGateway(t);
  const connections = connectionsOf(sandbox);
  for (let n = 0; n < 3; n += 1) await setTags();
  t.equal(connections.length, 1);
});

t.test('the connections to CometChat end with the gateway', async (t) => {
  // It leaves a connection open for ever.
  const server = http.createServer({ keepAliveTimeout: 0 }, (_request, response) =>
    response.end(JSON.stringify(DOCUMENTED_REPLY)),
  );
  const ended = once(server, 'connection').then(([socket]) => once(socket, 'close'));
  const port = await listening(t, server);
  const { setTags, app } = await startGateway(t, { COMETCHAT_BASE_URL: `http://127.0.0.1:${port}` });
  t.equal((await setTags()).status, 200);
  await app.close();
  await ended;
});

t.test('a connection that is reset as it is used again costs one more attempt', async (t) => {
  const { meets, sandbox, setTags } = await startGateway(t);
  const connections = connectionsOf(sandbox);
  await setTags();
  sandbox.play('reset-on-arrival');
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', retried: ['ECONNRESET'] },
    moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
  });
  t.equal(connections.length, 2, 'the first one was used again, and the second attempt had a new one');
});

t.test('a name that moves to another address is followed', async (t) => {
  const old = await startSandbox(t, { host: '127.0.0.1' });
  const port = Number(new URL(old.origin).port);
  const moved = await startSandbox(t, { host: '127.0.0.2', port });
  const addresses = ['127.0.0.1', '127.0.0.2'];
  const lookup: LookupFunction = (_name, _options, done) =>
    done(null, [{ address: `${addresses.shift()}`, family: 4 }]);
  const { served, meets } = await startGateway(
    t,
    { COMETCHAT_BASE_URL: `http://cometchat:${port}/v3` },
    { sandbox: old, seams: { lookup } },
  );
  await served(t);
  await old.close();
  await meets(t, { answer: 200, calls: 0, line: { level: 'info' }, moved: { 'attempts ok': 1 } });
  t.equal(moved.received, 1);
});

const problemOf = (errorType: string | RegExp) =>
  errorType instanceof RegExp ? 'cometchat-timeout' : 'cometchat-failed';

const NONE_AGAIN = 'no attempt uses a connection on which another has failed';

/** The connections that a call came on: undici opens another one after a call that was cut off. */
const used = (connections: Socket[]) => connections.filter(({ bytesRead }) => bytesRead > 0);

async function closed(...sockets: Socket[]): Promise<void> {
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
}

/** Plays a fault once, which the next attempt makes good. */
async function recovers(t: Test, { meets, sandbox }: Gateway, name: Name, errorType: string | RegExp) {
  const connections = connectionsOf(sandbox);
  sandbox.play(name);
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', status: 200, retried: [errorType] },
    moved: { [`attempts ${problemOf(errorType)}`]: 1, 'attempts ok': 1, retries: 1 },
  });
  t.equal(used(connections).length, 2, NONE_AGAIN);
  await closed(...used(connections).slice(0, 1));
}

/** Plays a fault three times, which is the answer. */
async function givesUp(t: Test, { meets, sandbox }: Gateway, name: Name, errorType: string | RegExp) {
  const connections = connectionsOf(sandbox);
  const problem = problemOf(errorType);
  sandbox.play(name, 3);
  await meets(t, {
    answer: [problem === 'cometchat-timeout' ? 504 : 502, problem],
    calls: 3,
    line: { level: 'warn', problem, error: { type: errorType }, retried: [errorType, errorType] },
    moved: { [`problems ${problem}`]: 1, [`attempts ${problem}`]: 3, retries: 2 },
  });
  t.equal(used(connections).length, 3, NONE_AGAIN);
  await closed(...used(connections));
}

t.test(
  'after a connection has broken, the next attempt succeeds; the third break is the answer',
  async (t) => {
    const broken: [Name, errorType: string][] = [
      ['reset-before-headers', 'ECONNRESET'],
      ['reset-in-body', 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'],
      ['body-cut-short', 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'],
    ];
    for (const [name, errorType] of broken) {
      t.comment(name);
      await recovers(t, await startGateway(t), name, errorType);
      await givesUp(t, await startGateway(t), name, errorType);
    }
  },
);

t.test(
  'a reply in pieces that ends too early is a broken connection, whether it was to be the last one or not',
  async (t) => {
    for (const connection of ['keep-alive', 'close']) {
      const { meets, sandbox } = await startGateway(t);
      const head = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: ${connection}\r\n\r\n`;
      sandbox.fault({ raw: [`${head}5\r\n{"dat`] });
      await meets(t, {
        answer: 200,
        calls: 2,
        line: { level: 'info', retried: ['ECONNRESET'] },
        moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
      });
    }
  },
);

t.test('after a late reply the next attempt succeeds; the third is the answer', { jobs: 6 }, async (t) => {
  const slow = ['silence', 'first-byte-late', 'body-drips'] satisfies Name[];
  const tests = [
    // Long enough for an attempt that succeeds, on a busy machine as well.
    { outcome: recovers, attemptTimeoutMs: 2000 },
    // Long enough for a call to arrive.
    { outcome: givesUp, attemptTimeoutMs: 700 },
  ];
  const cases = [];
  for (const { outcome, attemptTimeoutMs } of tests) {
    const env = { COMETCHAT_ATTEMPT_TIMEOUT_MS: `${attemptTimeoutMs}`, COMETCHAT_DEADLINE_MS: '20000' };
    for (const name of slow) cases.push({ name, outcome, gateway: await startGateway(t, env) });
  }
  for (const { name, outcome, gateway } of cases) {
    // Which of the timers is the first is a matter of milliseconds.
    t.test(`${name}: ${outcome.name}`, { buffered: true }, (t) => outcome(t, gateway, name, /^timeout_/));
  }
});
