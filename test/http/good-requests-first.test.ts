import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import { goodRequestsFirst } from '../../src/http/priority.ts';
import { replyWithProblems } from '../../src/http/problem-replies.ts';

const BAD = 100;

/** A server that answers each request by its name, and what it has answered so far. */
async function server(t: Test) {
  const app = fastify();
  t.teardown(() => app.close());
  const answered: string[] = [];
  replyWithProblems(app);
  goodRequestsFirst(app);
  app.get<{ Params: { name: string } }>('/:name', async ({ params: { name } }) => {
    answered.push(name);
    if (name === 'bad') throw new ProblemError('rate-limited');
    if (name === 'failed') throw new ProblemError('cometchat-failed');
    return name;
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  /** One more connection; it sends a request and waits for the answer's status. */
  const connection = () => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    return async (name: string): Promise<number> => {
      socket.write(`GET /${name} HTTP/1.1\r\nHost: gateway\r\n\r\n`);
      const [bytes] = await once(socket, 'data');
      return Number(/^HTTP\/1.1 (\d+)/.exec(String(bytes))?.[1]);
    };
  };
  /** So many connections whose last request was refused. */
  const refused = async () => {
    const connections = Array.from({ length: BAD }, connection);
    for (const send of connections) t.equal(await send('bad'), 429);
    answered.length = 0;
    return connections;
  };
  return { connection, refused, answered };
}

t.test('a good request that comes last of a flood is answered first, and none is lost', async (t) => {
  const { connection, refused, answered } = await server(t);
  const good = connection();
  await good('good');
  const bad = await refused();
  // All are in the kernel before the event loop sees the first of them.
  const flood = bad.map((send) => send('bad'));
  t.equal(await good('good'), 200);
  t.ok(answered.indexOf('good') <= 8, `${answered.indexOf('good')} of the flood were first`);
  t.strictSame(new Set(await Promise.all(flood)), new Set([429]));
  t.equal(answered.length, BAD + 1);
});

t.test('a flood goes on while good requests keep coming', async (t) => {
  const { connection, refused, answered } = await server(t);
  const good = connection();
  let isOver = false;
  const flood = Promise.all((await refused()).map((send) => send('bad'))).then(() => {
    isOver = true;
  });
  while (!isOver) await good('good');
  await flood;
  t.equal(answered.filter((name) => name === 'bad').length, BAD);
});

t.test(
  'only the last request of a connection matters, and a fault of CometChat’s is no refusal',
  async (t) => {
    const { connection, refused, answered } = await server(t);
    const reformed = connection();
    for (const name of ['bad', 'good']) await reformed(name);
    const unlucky = connection();
    t.equal(await unlucky('failed'), 502);
    const flood = (await refused()).map((send) => send('bad'));
    await Promise.all([reformed('reformed'), unlucky('unlucky')]);
    for (const name of ['reformed', 'unlucky']) t.ok(answered.indexOf(name) <= 9, name);
    await Promise.all(flood);
  },
);
