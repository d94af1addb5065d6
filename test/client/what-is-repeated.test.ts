import t from 'tap';
import { PROBLEMS, type ProblemCode } from '../../src/base/problems.ts';
import { problem, type Reply, reasonOf, startClient, TARGET } from './front.ts';

const NOW = { 'retry-after': '0' };

const REPEATED: ReadonlySet<ProblemCode> = new Set([
  'request-timeout',
  'rate-limited',
  'cometchat-failed',
  'cometchat-busy',
  'cometchat-unavailable',
  'gateway-overloaded',
  'session-store-unavailable',
  'gateway-draining',
  'cometchat-timeout',
]);

t.test('a problem that may pass is repeated, and no other one is', async (t) => {
  const { chat, front } = await startClient(t, { token: () => 'a' });
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    const before = front.seen.length;
    front.replies.push(problem(code));
    await reasonOf(chat.tags.get(TARGET));
    t.equal(front.seen.length - before, REPEATED.has(code) ? 2 : 1, code);
  }
});

const OF_A_LOAD_BALANCER: readonly [reply: Reply, isRepeated: boolean][] = [
  [{ status: 502, headers: NOW, body: '<h1>Bad Gateway</h1>' }, true],
  [{ status: 503, headers: NOW, body: '{"message":"no healthy upstream"}' }, true],
  [{ status: 504, headers: NOW }, true],
  [{ status: 429, headers: NOW, body: 'Slow down' }, true],
  [{ status: 408, headers: NOW }, true],
  ['reset', true],
  ['cut', true],
  [{ status: 500, headers: NOW, body: '<h1>Error</h1>' }, false],
  [{ status: 501, headers: NOW }, false],
  [{ status: 403, headers: NOW, body: '<h1>Blocked</h1>' }, false],
  [{ status: 200, headers: NOW, body: '<h1>Welcome</h1>' }, false],
];
for (const [reply, isRepeated] of OF_A_LOAD_BALANCER) {
  const name = typeof reply === 'string' ? reply : reply.status;
  t.test(`a load balancer’s ${name} is ${isRepeated ? '' : 'not '}repeated`, async (t) => {
    const { chat, front } = await startClient(t, { replies: [reply] });
    if (isRepeated) t.match(await chat.tags.add(TARGET, ['a']), { tags: ['a'] });
    else await t.rejects(chat.tags.add(TARGET, ['a']), { code: 'unknown-reply' });
    t.equal(front.seen.length, isRepeated ? 2 : 1);
  });
}

t.test('each operation is repeated, as it was', async (t) => {
  const { chat, front } = await startClient(t);
  for (const operation of [
    () => chat.tags.set(TARGET, ['a']),
    () => chat.tags.change(TARGET, { add: ['b'], remove: ['a'] }),
    () => chat.tags.get(TARGET),
    () => chat.conversations.page({ tags: ['b'] }),
  ]) {
    front.replies.push('reset');
    await operation();
    const [first, second] = front.seen.slice(-2);
    t.strictSame(
      [second?.method, second?.url, second?.body],
      [first?.method, first?.url, first?.body],
      `${first?.method} ${first?.url}`,
    );
  }
  t.equal(front.seen.length, 8);
});

t.test('there are three attempts, and the error is that of the last', async (t) => {
  const { chat, front } = await startClient(t, {
    replies: ['reset', problem('cometchat-failed'), problem('gateway-draining'), 'gateway'],
  });
  t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'gateway-draining', status: 503 });
  t.equal(front.seen.length, 3);
});

t.test('without Retry-After, the waits grow', async (t) => {
  const times: number[] = [];
  const { chat } = await startClient(t, {
    replies: ['reset', 'reset'],
    fetch: (...args) => {
      times.push(performance.now());
      return fetch(...args);
    },
  });
  await chat.tags.get(TARGET);
  const [first = 0, second = 0, third = 0] = times;
  // Timers may be a millisecond early.
  t.ok(second - first >= 199, `${second - first} ms`);
  t.ok(third - second >= 399, `${third - second} ms`);
});
