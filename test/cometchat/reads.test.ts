import { once } from 'node:events';
import http from 'node:http';
import t, { type Test } from 'tap';
import type { Operation } from '../../src/cometchat/call.ts';
import { cometChatClient } from '../../src/cometchat/client.ts';
import { countsOf, samplesOf } from '../helpers/metrics.ts';
import { listening } from '../helpers/ports.ts';
import { cometChatIdOf, services } from '../helpers/room.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { ME } from '../helpers/tokens.ts';

// Operations that change nothing go the same way as writes, but for the lanes.

const READ: Operation<string> = {
  method: 'GET',
  path: '/greeting',
  pathTemplate: '/greeting',
  read: (document) =>
    typeof document === 'string' ? { value: document } : { mismatch: ': Expected string' },
};

/** A CometChat that answers with these statuses one after the other, and its client. */
async function clientOf(t: Test, statuses: (number | 'silence')[], deadlineMs = 20_000) {
  const asked: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    asked.push(request);
    const status = statuses.shift() ?? 200;
    if (status === 'silence') return;
    response.statusCode = status;
    response.end(JSON.stringify(status === 200 ? 'hello' : {}));
  });
  // The beginning of a minute, in which no user can use more than a fair share.
  const around = services(undefined, { random: () => 0, now: () => 0 });
  const client = cometChatClient(
    {
      baseUrl: `http://127.0.0.1:${await listening(t, server)}`,
      apiKeys: { current: [API_KEY] },
      deadlineMs,
      attemptTimeoutMs: 20_000,
      maxConcurrency: 1,
      callsPerMinute: 10,
    },
    around,
  );
  t.teardown(() => client.close());
  const read = (gone = new AbortController().signal, operation = READ) =>
    client.read(operation, {
      onBehalfOf: cometChatIdOf(ME),
      gone,
      deadline: performance.now() + deadlineMs,
    });
  return { ...around, read, asked, server };
}

t.test('a read is sent with the key and the user, and its reply read as the operation says', async (t) => {
  const { read, asked, metrics } = await clientOf(t, []);
  t.match(await read(), { outcome: { ok: true, status: 200, value: 'hello' }, retried: [], isJoined: false });
  t.match(asked, [{ method: 'GET', url: '/greeting', headers: { apikey: API_KEY, onbehalfof: ME } }]);
  t.equal(asked[0]?.headers['content-length'], undefined, 'there is no body');
  const samples = await samplesOf(metrics);
  t.match(
    samples.filter(({ name }) => name === 'http_client_request_duration_seconds_count'),
    [{ labels: { http_request_method: 'GET', url_template: '/greeting' }, value: 1 }],
  );
});

t.test('a read is retried', async (t) => {
  const { read, asked, metrics } = await clientOf(t, [503, 200]);
  t.match(await read(), { outcome: { ok: true }, retried: ['503'] });
  t.equal(asked.length, 2);
  t.equal((await countsOf(metrics))['attempts cometchat-failed'], 1);
});

t.test('a read counts for the concurrency and for the quota', async (t) => {
  const { read } = await clientOf(t, []);
  const [first, second] = await Promise.all([read(), read()]);
  t.match(first, { outcome: { ok: true } });
  t.match(second, { outcome: { problem: 'gateway-overloaded' } });
  t.match(await read(), { outcome: { ok: true } });
  t.match(await read(), { outcome: { ok: true } });
  t.match(await read(), { outcome: { problem: 'cometchat-busy' } }, 'the user’s share of ten is used up');
});

t.test('a read ends when its client leaves', async (t) => {
  const { read, server } = await clientOf(t, ['silence']);
  const gone = new AbortController();
  const arrived = once(server, 'request');
  const result = read(gone.signal);
  await arrived;
  gone.abort();
  t.match(await result, { outcome: { errorType: 'client_gone' } });
});

t.test('a read ends at its deadline', async (t) => {
  const { read } = await clientOf(t, ['silence'], 150);
  const start = performance.now();
  t.match(await read(), { outcome: { problem: 'cometchat-timeout' } });
  t.ok(performance.now() - start < 10_000, 'long before the attempt would be given up');
});

t.test('a reply that the operation cannot read says where it differs', async (t) => {
  const { read } = await clientOf(t, []);
  const numbers: Operation<string> = { ...READ, read: () => ({ mismatch: ': Expected number' }) };
  t.match(await read(undefined, numbers), {
    outcome: { problem: 'cometchat-reply-invalid', mismatch: ': Expected number' },
  });
});

t.test('a defect in reading is an error, and no failure of CometChat’s', async (t) => {
  const { read } = await clientOf(t, []);
  const broken: Operation<string> = {
    ...READ,
    read() {
      throw new TypeError('a defect');
    },
  };
  await t.rejects(read(undefined, broken), { message: 'a defect' });
  t.match(await read(), { outcome: { ok: true } }, 'the next one goes through');
});
