import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { until } from '../helpers/until.ts';

// A reply that nobody reads stays in the gateway's memory where it is more than what the network keeps.

const BIG = { extend: (app: { get: CallableFunction }) => app.get('/big', async () => 'x'.repeat(2 ** 25)) };
const GET_BIG = 'GET /big HTTP/1.1\r\nHost: x\r\n\r\n';
const GET_LIVE = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

t.test('a connection is closed when its client takes nothing of a reply for ten seconds', async (t) => {
  const { connect } = await startGateway(t, {}, BIG);
  const { client, server } = await connect();
  client.pause();
  client.write(GET_BIG);
  await until('a reply that waits', () => server.writableLength > 0);
  t.equal(server.timeout, 10_000, 'Node.js counts from the last byte that was taken');
  const closed = once(server, 'close');
  server.emit('timeout');
  await closed;
  client.destroy();
});

t.test('a client that takes its replies has the longer time of an idle connection', async (t) => {
  const { connect } = await startGateway(t, {}, BIG);
  const { client, server } = await connect();
  client.write(GET_BIG);
  client.resume();
  await until('an idle connection', () => Number(server.timeout) > 70_000);
  client.destroy();
});

t.test('the time that the next reply takes to be made is not counted', async (t) => {
  const answer = Promise.withResolvers<string>();
  const { connect } = await startGateway(t, {}, { extend: (app) => app.get('/slow', () => answer.promise) });
  const { client, server } = await connect();
  client.write(`${GET_LIVE}GET /slow HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(client, 'data');
  t.equal(server.timeout, 0);
  answer.resolve('late');
  await once(client, 'data');
  client.destroy();
});

t.test('a reply that nobody reads does not keep a replica from ending', async (t) => {
  const { app, connect, lines } = await startGateway(t, {}, BIG);
  const { client, server } = await connect();
  client.pause();
  client.write(GET_BIG);
  await until('a reply that waits', () => server.writableLength > 0);
  t.equal(app.shutdown.callsInHand, 0);
  const closed = await Promise.race([app.close().then(() => 'closed'), wait(20_000, 'open', { ref: false })]);
  t.equal(closed, 'closed');
  t.notMatch(lines.join(), /did not arrive/, 'it was a reply, and no request');
  client.destroy();
});
