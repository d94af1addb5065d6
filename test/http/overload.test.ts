import http, { type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { mock } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { EventLoop } from '../../src/http/overload.ts';
import { callBytes, isProblem, parseAnswer } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { listening } from '../helpers/ports.ts';
import { startProcess } from '../helpers/process.ts';
import { bearer, sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

t.test('what has queued up while the event loop was blocked is refused, and probes hear of it', async (t) => {
  const { connect, get, lines, refused, served, setTags } = await startGateway(t);
  await served(t);
  const session = [`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json'];
  const call = callBytes(...session, 'Connection: close');
  const ready = 'GET /readyz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n';
  const blocked = async (bytes: readonly string[]): Promise<string[]> => {
    const connections = [];
    for (const _ of bytes) connections.push(await connect());
    const answers = connections.map(({ client }) => text(client));
    for (const [index, { client }] of connections.entries()) client.write(String(bytes[index]));
    for (const until = performance.now() + 2200; performance.now() < until; );
    return Promise.all(answers);
  };
  let others: string[] = [];
  const send = async () => {
    const [first = '', ...rest] = await blocked([call, call, call, call, call, ready]);
    others = rest;
    return first;
  };
  const moved = { 'problems gateway-overloaded': 5 };
  await refused(t, send, 503, 'gateway-overloaded', { retryAfter: 1, moved });
  for (const answer of others) isProblem(t, parseAnswer(answer), 503, 'gateway-overloaded');
  isProblem(t, await get('/livez'), 503, 'gateway-overloaded');
  const [, ms] = /"level":"warn".*"ms":(\d+),"msg":"event loop blocked"/.exec(lines.join('\n')) ?? [];
  t.ok(Number(ms) >= 2000, `${ms} ms`);
  // The gateway looks again a tenth of a second later.
  await until('a call that is served', async () => (await setTags()).status !== 503);
  await served(t);
});

/** An app that is about to start, and is watched by these clocks. */
function watched(t: Test, clocks: ConstructorParameters<typeof EventLoop>[0]) {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const app = fastify();
  t.teardown(() => app.close());
  const eventLoop = new EventLoop(clocks);
  eventLoop.watch(app);
  return { app, eventLoop };
}

t.test('a start that takes long is no overload', async (t) => {
  let now = 0;
  const { app, eventLoop } = watched(t, { now: () => now, worked: () => now });
  now += 5000;
  await app.ready();
  now += 100;
  mock.timers.tick(100);
  t.notOk(eventLoop.isBlocked);
  now += 1100;
  mock.timers.tick(100);
  t.ok(eventLoop.isBlocked, 'what comes later is');
});

t.test('that the event loop was blocked for seconds is forgotten in time', async (t) => {
  let now = 0;
  const { app, eventLoop } = watched(t, { now: () => now, worked: () => now });
  await app.ready();
  const isLateBy = (ms: number) => {
    now += 100 + ms;
    mock.timers.tick(100);
    return { isBlocked: eventLoop.isBlocked, wasBlockedLong: eventLoop.wasBlockedLong };
  };
  t.strictSame(
    isLateBy(1400),
    { isBlocked: true, wasBlockedLong: false },
    'a second is no reason to restart',
  );
  t.strictSame(isLateBy(0), { isBlocked: false, wasBlockedLong: false });
  t.strictSame(isLateBy(999), { isBlocked: false, wasBlockedLong: false }, 'less is no reason for anything');
  t.strictSame(isLateBy(1100), { isBlocked: true, wasBlockedLong: true }, 'but a second again is');
  now = 1500 + 9999;
  t.equal(eventLoop.wasBlockedLong, true, 'while both are within ten');
  now += 1;
  t.equal(eventLoop.wasBlockedLong, false);
  isLateBy(2000);
  now += 9999;
  t.equal(eventLoop.wasBlockedLong, true);
  now += 1;
  t.equal(eventLoop.wasBlockedLong, false);
});

t.test('a pause in which the process got no processor is no overload', async (t) => {
  let [now, worked] = [0, 0];
  const { app, eventLoop } = watched(t, { now: () => now, worked: () => worked });
  await app.ready();
  const isLateBy = (ms: number, workedMs: number) => {
    now += 100 + ms;
    worked += workedMs;
    mock.timers.tick(100);
    return eventLoop.isBlocked;
  };
  t.equal(isLateBy(3_600_000, 50), false, 'it was frozen for an hour');
  t.equal(isLateBy(4000, 999), false, 'and a while, with much to do after it');
  t.equal(isLateBy(4000, 1001), true, 'it worked, with a part of a processor');
  t.equal(isLateBy(0, 0), false);
  t.equal(isLateBy(5000, 0), false);
  t.equal(eventLoop.wasBlockedLong, true);
});

t.test('a process that was frozen serves the call that it is thawed for', async (t) => {
  const { child, call, origin } = await startProcess(t);
  t.equal((await call()).status, 200);
  child.process.kill('SIGSTOP');
  const answer = call();
  // The claim is about time in which the process has no processor.
  await wait(2500);
  child.process.kill('SIGCONT');
  t.equal((await answer).status, 200);
  t.equal((await fetch(`${origin}/livez`)).status, 200);
  t.equal((await fetch(`${origin}/readyz`)).status, 200);
  t.notMatch(child.stdout, 'event loop blocked');
});

t.test(
  'of more calls than there is room for some are served, and all others refused meanwhile',
  async (t) => {
    const [room, calls] = [16, 100];
    const held: ServerResponse[] = [];
    const release = (response: ServerResponse) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(DOCUMENTED_REPLY));
    const cometchat = http.createServer((request, response) => {
      request.resume();
      held.push(response);
    });
    const { put, counted } = await startGateway(t, {
      COMETCHAT_BASE_URL: `http://127.0.0.1:${await listening(t, cometchat)}/v3`,
      COMETCHAT_MAX_CONCURRENCY: String(room),
      COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000',
      COMETCHAT_DEADLINE_MS: '60000',
    });
    const call = async (_: unknown, n: number) =>
      put({ tags: [], conversationWith: `friend-${n}` }, await bearer({ sub: `user-${n}` }));
    const answering = Promise.all(Array.from({ length: calls }, call));
    await counted('problems gateway-overloaded', calls - room);
    await until(`${room} calls`, () => held.length >= room);
    for (const response of held) release(response);
    const answers = await answering;
    const refused = answers.filter(({ status }) => status !== 200);
    t.equal(refused.length, calls - room);
    for (const answer of refused) isProblem(t, answer, 503, 'gateway-overloaded');
    t.equal(held.length, room);
    cometchat.once('request', (_, response) => release(response));
    t.equal((await call('again', 0)).status, 200, 'and then there is room again');
  },
);
