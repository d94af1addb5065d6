import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { fastify } from 'fastify';
import t from 'tap';
import { EventLoop } from '../../src/http/overload.ts';
import { startGateway } from '../child.ts';
import { type Answer, callBytes, isProblem, parseAnswer, sign } from '../helper.ts';
import { faulty } from './faulty.ts';

const turn = () => new Promise(setImmediate);

t.test(
  'what has queued up while the event loop was blocked is refused, and no work is put into it',
  async (t) => {
    const { app, port, put, refused, served } = await faulty(t);
    await served(t, await put({ tags: [] }));
    const bytes = callBytes(
      `Authorization: Bearer ${await sign()}`,
      'Content-Type: application/json',
      'Connection: close',
    );
    const connect = async () => {
      const accepted = once(app.server, 'connection');
      const socket = net.connect(port, '127.0.0.1');
      await Promise.all([accepted, once(socket, 'connect')]);
      return socket;
    };
    const sockets: net.Socket[] = [];
    while (sockets.length < 5) sockets.push(await connect());
    const probing = await connect();
    for (const socket of sockets) socket.write(bytes);
    probing.write('GET /readyz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n');
    await turn();
    for (const until = performance.now() + 1200; performance.now() < until; );
    for (const answer of await Promise.all(sockets.map((socket) => text(socket)))) {
      const { headers } = await refused(t, answer, 503, 'gateway-overloaded');
      t.equal(headers.get('retry-after'), '1');
    }
    isProblem(t, parseAnswer(await text(probing)), 503, 'gateway-overloaded');
    // The gateway looks again a tenth of a second later.
    let answer: Answer;
    do {
      await turn();
      answer = await put({ tags: [] });
    } while (answer.status === 503);
    await served(t, answer);
  },
);

t.test('liveness does not say that a process is well whose event loop is blocked', async (t) => {
  const { child, origin } = await startGateway(
    t,
    {},
    { node: ['--import', './test/fixtures/blocked-loop.ts'] },
  );
  const livez = () => fetch(`${origin}/livez`, { signal: AbortSignal.timeout(1000) });
  t.equal((await livez()).status, 200);
  child.process.kill('SIGWINCH');
  await child.says(/"blocked"/);
  await t.rejects(livez(), { name: 'TimeoutError' }, 'while it is blocked there is no answer');
  const afterwards = await fetch(`${origin}/livez`);
  t.equal(afterwards.status, 503, 'and for a while after that a probe hears of it');
  t.match(await afterwards.json(), { code: 'gateway-overloaded' });
  t.match(child.stdout, /"level":"warn".*"ms":2\d{3},"msg":"event loop blocked"/);
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
});

t.test('that it was blocked for long is forgotten in time', async (t) => {
  const app = fastify();
  t.teardown(() => app.close());
  let now = 0;
  const eventLoop = new EventLoop(() => now);
  eventLoop.watch(app);
  const seen = async (isSeen: () => boolean) => {
    while (!isSeen()) await turn();
    t.pass();
  };
  now += 1500;
  await seen(() => eventLoop.isBlocked);
  t.equal(eventLoop.wasBlockedLong, false, 'a second is not yet a reason to restart it');
  now += 100;
  await seen(() => !eventLoop.isBlocked);
  now += 700;
  await seen(() => eventLoop.wasBlockedLong || !eventLoop.isBlocked);
  t.equal(eventLoop.isBlocked, false, 'half a second is no reason for anything');
  now += 1200;
  await seen(() => eventLoop.isBlocked);
  t.equal(eventLoop.wasBlockedLong, true, 'but a second again is');
  now += 8100;
  t.equal(eventLoop.wasBlockedLong, false, 'while both are within ten');
  now += 2100;
  await seen(() => eventLoop.wasBlockedLong);
  now += 9999;
  t.equal(eventLoop.wasBlockedLong, true);
  now += 1;
  t.equal(eventLoop.wasBlockedLong, false);
});

t.test('of more calls than it has room for some are served, and all others rejected meanwhile', async (t) => {
  const [room, calls] = [16, 300];
  const env = {
    COMETCHAT_MAX_CONCURRENCY: String(room),
    COMETCHAT_ATTEMPT_TIMEOUT_MS: '6000',
    COMETCHAT_DEADLINE_MS: '6000',
  };
  const { put, sandbox } = await faulty(t, env, { sandbox: { users: calls } });
  sandbox.fault({ delayMs: 4000, times: room });
  const uid = (number: number) => `cometchat-uid-${(number % calls) + 1}`;
  const order: number[] = [];
  const tokens = await Promise.all(Array.from({ length: calls }, (_, n) => sign({ sub: uid(n) })));
  const call = async (number: number) => {
    const authorization = `Bearer ${tokens[number]}`;
    const answer = await put({ tags: [], conversationWith: uid(number + 7) }, { authorization });
    order.push(answer.status);
    return answer;
  };
  const answers = await Promise.all(Array.from({ length: calls }, (_, number) => call(number)));
  t.strictSame(order.slice(-room), Array(room).fill(200));
  const refused = answers.filter(({ status }) => status !== 200);
  t.equal(refused.length, calls - room);
  for (const answer of refused) isProblem(t, answer, 503, 'gateway-overloaded');
  t.equal(sandbox.received, room);
  t.equal((await call(0)).status, 200, 'and then there is room again');
});
