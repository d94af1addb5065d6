import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import { startGateway } from '../helpers/gateway.ts';
import { until } from '../helpers/until.ts';

// A reply that nobody reads stays in the gateway's memory where it is more than what the network keeps.

const BIG = { extend: (app: { get: CallableFunction }) => app.get('/big', async () => 'x'.repeat(2 ** 25)) };
const GET_BIG = 'GET /big HTTP/1.1\r\nHost: x\r\n\r\n';
const GET_LIVE = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

/** A clock whose timers of ten seconds, those of replies, a test lets end. */
function replyClock() {
  const timers: { end: () => void; isCancelled: boolean }[] = [];
  const clock: Clock = {
    ...MACHINE_CLOCK,
    after(ms, end) {
      if (ms !== 10_000) return MACHINE_CLOCK.after(ms, end);
      const timer = { end, isCancelled: false };
      timers.push(timer);
      return () => {
        timer.isCancelled = true;
      };
    },
  };
  return { timers, seams: { clock } };
}

t.test('a connection is closed when its client has not taken a reply after ten seconds', async (t) => {
  const { timers, seams } = replyClock();
  const { connect } = await startGateway(t, {}, { ...BIG, seams });
  const { client, server } = await connect();
  client.pause();
  client.write(GET_BIG);
  await until('a reply that waits', () => server.writableLength > 0 && timers.length > 0);
  // That it goes on sending helps nothing.
  client.write(GET_LIVE);
  t.match(timers, [{ isCancelled: false }]);
  const closed = once(server, 'close');
  timers[0]?.end();
  await closed;
  client.destroy();
});

t.test('a client that takes its replies has the longer time of an idle connection', async (t) => {
  const { timers, seams } = replyClock();
  const { connect } = await startGateway(t, {}, { ...BIG, seams });
  const { client, server } = await connect();
  client.write(GET_BIG);
  client.resume();
  await until('an idle connection', () => Number(server.timeout) > 70_000);
  await until('the end of the reply', () => timers.every(({ isCancelled }) => isCancelled));
  t.equal(timers.length, 1);
  client.destroy();
});

t.test('a reply to a client that has gone waits for nobody', async (t) => {
  const { timers, seams } = replyClock();
  const reply = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  const { connect } = await startGateway(
    t,
    {},
    {
      seams,
      extend: (app) => {
        app.get('/later', (_, { raw }) => {
          raw.once('prefinish', () => setImmediate(ended.resolve));
          return reply.promise;
        });
      },
    },
  );
  const { client, server } = await connect();
  client.write('GET /later HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(server, 'data');
  const closed = once(server, 'close');
  client.destroy();
  await closed;
  reply.resolve('late');
  await ended.promise;
  t.strictSame(timers, []);
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
