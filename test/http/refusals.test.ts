import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import { logRefusals } from '../../src/http/refusals.ts';
import { type Answer, callBytes } from '../helpers/answers.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { opaqueSessions, redisTest } from '../helpers/redis.ts';
import { redisProxy } from '../helpers/redis-proxy.ts';
import { services } from '../helpers/room.ts';
import { bearer } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

/** A log of refusals on a virtual clock, and the lines that it has written by itself. */
function refusalLog(t: Test) {
  const app = fastify();
  t.teardown(() => app.close());
  const clock = new VirtualClock();
  const lines: unknown[] = [];
  const { log, seams } = services(undefined, { clock });
  logRefusals(app, { log: { ...log, info: (fields: unknown) => void lines.push(fields) }, seams });
  /** Refuses so often, and gives how often the line was of level info. */
  const refuse = (times: number, address = '192.0.2.1', problem = 'session-invalid'): number => {
    let written = 0;
    for (let n = 0; n < times; n += 1) {
      if (app.refusals.levelOf(address, problem) === 'info') written += 1;
    }
    return written;
  };
  return { app, refuse, lines, pass: (ms: number) => clock.run(clock.wait(ms)) };
}

t.test('of one address and problem five refusals a minute are written, then how many more', async (t) => {
  const { refuse, lines, pass } = refusalLog(t);
  t.equal(refuse(600), 5);
  t.equal(refuse(4, '192.0.2.2'), 4, 'another address has lines of its own');
  t.equal(refuse(6, '192.0.2.1', 'route-not-found'), 5, 'another problem too');
  t.strictSame(lines, []);
  await pass(60_000);
  t.strictSame(lines, [
    { address: '192.0.2.1', problem: 'session-invalid', count: 595 },
    { address: '192.0.2.1', problem: 'route-not-found', count: 1 },
  ]);
});

t.test('each minute begins with the first refusal in it', async (t) => {
  const { refuse, lines, pass } = refusalLog(t);
  await pass(50_000);
  t.equal(refuse(6), 5);
  await pass(59_999);
  t.equal(refuse(1), 0);
  await pass(1);
  t.equal(lines.length, 1);
  t.equal(refuse(5), 5);
  await pass(60_000);
  t.equal(lines.length, 1, 'with five there is nothing more to tell');
});

t.test('what is not told yet is told at the end', async (t) => {
  const { app, refuse, lines } = refusalLog(t);
  refuse(7);
  await app.close();
  t.match(lines, [{ count: 2 }]);
});

t.test('10,000 addresses are remembered; those that come later share their lines', async (t) => {
  const { refuse, lines, pass } = refusalLog(t);
  let written = 0;
  for (let n = 0; n < 10_000; n += 1) written += refuse(1, `${n}`);
  t.equal(written, 10_000);
  t.equal(refuse(4, 'late'), 4);
  t.equal(refuse(4, 'later'), 1);
  await pass(60_000);
  t.strictSame(lines, [{ address: 'others', problem: 'session-invalid', count: 3 }]);
});

type Send = (gateway: Gateway) => Promise<Answer | string>;
const FLOODS: Readonly<Record<string, Send>> = {
  'no session': ({ put }) => put({ tags: [] }, { authorization: '' }),
  'an expired session': async ({ put }) => put({ tags: [] }, await bearer({ exp: 1 })),
  'a body that breaks a rule': ({ put }) => put({ tags: 1 }),
  'a conversation that is not there': ({ put }) => put({ tags: [], conversationWith: 'stranger' }),
  'an unknown address': ({ get }) => get('/nothing'),
  'an address that cannot be decoded': ({ get }) => get('/%ff'),
  'a wrong method': ({ get }) => get('/me/conversations/tags', { method: 'POST' }),
  'no HTTP': ({ raw }) => raw('GARBAGE\r\n\r\n'),
  'no Host': ({ raw }) => raw('GET /livez HTTP/1.1\r\n\r\n'),
  'a preflight from nowhere': ({ get }) =>
    get('/livez', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'PUT' },
    }),
};

for (const [name, send] of Object.entries(FLOODS)) {
  t.test(`a flood with ${name} does not fill the log`, async (t) => {
    const gateway = await startGateway(t, { LOG_LEVEL: 'info' });
    for (let n = 0; n < 8; n += 1) await send(gateway);
    const { app, lines } = gateway;
    const requests = gateway.requests();
    t.equal(requests.length, 5);
    await app.close();
    const summary = JSON.parse(lines.at(-1) ?? '');
    t.match(summary, { level: 'info', address: '127.0.0.1', count: 3, msg: 'more requests were not logged' });
    t.match(requests, Array(5).fill({ problem: summary.problem }));
  });
}

t.test('nor does one with preflights that are allowed', async (t) => {
  const origin = 'https://app.example';
  const { app, get, lines, requests } = await startGateway(t, { LOG_LEVEL: 'info', CORS_ORIGINS: origin });
  const headers = { origin, 'access-control-request-method': 'PUT' };
  for (let n = 0; n < 8; n += 1) t.equal((await get('/x', { method: 'OPTIONS', headers })).status, 204);
  t.equal(requests().length, 5);
  await app.close();
  t.match(JSON.parse(lines.at(-1) ?? ''), { problem: 'preflight', count: 3 });
});

redisTest('nor does one of strangers who leave before they are refused', async (t, redis) => {
  const proxy = await redisProxy(t, redis);
  const gateway = await startGateway(t, { ...opaqueSessions(proxy.url), LOG_LEVEL: 'info' });
  proxy.hold();
  for (let n = 1; n <= 8; n += 1) {
    const { client } = await gateway.connect();
    const known = proxy.asked.length;
    client.write(callBytes(`Authorization: Bearer unknown-${n}`, 'Content-Type: application/json'));
    await until('the question', () => proxy.asked.length > known);
    client.destroy();
    await gateway.counted('clients_gone', n);
  }
  proxy.release();
  t.match(gateway.requests(), Array(5).fill({ aborted: true }));
  await gateway.app.close();
  t.match(JSON.parse(gateway.lines.at(-1) ?? ''), { problem: 'client_gone', count: 3 });
});

t.test('all other good requests, and problems from 500 up, are always written', async (t) => {
  const { app, put, setTags, sandbox, requests, lines } = await startGateway(t, { LOG_LEVEL: 'info' });
  for (let n = 0; n < 8; n += 1) await setTags();
  sandbox.fault(...Array(8).fill({ status: 500 }));
  for (let n = 0; n < 8; n += 1) await put({ tags: [`${n}`] });
  t.equal(requests().filter(({ status }) => status === 200).length, 8);
  t.equal(requests().filter(({ level, status }) => level === 'warn' && status === 502).length, 8);
  await app.close();
  t.notMatch(lines.join(), 'not logged');
});
