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
  /** One more connection; it sends requests all at once, and waits for the statuses of their answers. */
  const connection = () => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    return async (...names: string[]): Promise<number[]> => {
      socket.write(names.map((name) => `GET /${name} HTTP/1.1\r\nHost: gateway\r\n\r\n`).join(''));
      let answers = '';
      for (;;) {
        const [bytes] = await once(socket, 'data');
        answers += bytes;
        const statuses = [...answers.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => Number(status));
        if (statuses.length === names.length) return statuses;
      }
    };
  };
  /** So many connections whose last request was refused. */
  const refused = async () => {
    const connections = Array.from({ length: BAD }, connection);
    for (const send of connections) t.strictSame(await send('bad'), [429]);
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
  t.strictSame(await good('good'), [200]);
  t.ok(answered.indexOf('good') <= 8, `${answered.indexOf('good')} of the flood were first`);
  t.strictSame(await good('second'), [200]);
  t.ok(answered.indexOf('second') <= BAD / 2, `then ${answered.indexOf('second')}, and not all at once`);
  t.strictSame(new Set((await Promise.all(flood)).flat()), new Set([429]));
  t.equal(answered.length, BAD + 2);
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
    t.strictSame(await unlucky('failed'), [502]);
    const flood = (await refused()).map((send) => send('bad'));
    await Promise.all([reformed('reformed'), unlucky('unlucky')]);
    for (const name of ['reformed', 'unlucky']) t.ok(answered.indexOf(name) <= 9, name);
    await Promise.all(flood);
  },
);

t.test('a client that does not wait for its answers gets them all, in order', async (t) => {
  const { connection, answered } = await server(t);
  const send = connection();
  await send('bad');
  t.strictSame(await send('older', 'newer'), [200, 200]);
  t.strictSame(await send(...Array(51).fill('bad')), Array(51).fill(429));
  t.strictSame(answered.slice(0, 4), ['bad', 'older', 'newer', 'bad']);
});
