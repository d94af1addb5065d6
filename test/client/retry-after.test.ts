import t from 'tap';
import { problem, type Reply, reasonOf, startClient, TARGET, tellingFetch } from './front.ts';

const busy = (retryAfter: string): Reply => problem('cometchat-busy', { 'retry-after': retryAfter });

t.test('the client waits for as long as the gateway asks, and sends the request again', async (t) => {
  const { chat, front } = await startClient(t, { replies: [busy('1')] });
  const start = performance.now();
  t.match(await chat.tags.set(TARGET, ['a']), { tags: ['a'] });
  t.ok(performance.now() - start >= 999);
  t.equal(front.seen.length, 2);
});

t.test('the wait is never shorter than one without the header', async (t) => {
  const { chat } = await startClient(t, { replies: [busy('0')] });
  const start = performance.now();
  await chat.tags.get(TARGET);
  t.ok(performance.now() - start >= 199);
});

t.test('a wait that does not fit into the time is not begun', async (t) => {
  const { chat, front } = await startClient(t, { replies: [busy('60')], timeoutMs: 59_000 });
  const start = performance.now();
  t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'cometchat-busy', retryAfterSeconds: 60 });
  t.ok(performance.now() - start < 30_000);
  t.equal(front.seen.length, 1);
});

t.test('nor is a random one', async (t) => {
  const { chat, front } = await startClient(t);
  // The first request makes the connection, so that the second one is quick.
  await chat.tags.get(TARGET);
  front.replies.push(problem('cometchat-timeout', {}));
  const error = await reasonOf(chat.tags.get(TARGET, { timeoutMs: 199 }));
  t.match(error, { code: 'cometchat-timeout', retryAfterSeconds: undefined });
});

t.test('a wait of any length is none too long for a timer', async (t) => {
  const controller = new AbortController();
  const timers = t.capture(globalThis, 'setTimeout', setTimeout);
  const { chat, front } = await startClient(t, {
    replies: [busy('9999999999')],
    timeoutMs: Number.POSITIVE_INFINITY,
    fetch: tellingFetch(() => setImmediate(() => controller.abort('enough'))),
  });
  t.equal(await reasonOf(chat.tags.get(TARGET, { signal: controller.signal })), 'enough');
  t.equal(front.seen.length, 1);
  const longest = Math.max(...timers().map(({ args: [, ms = 0] }) => ms));
  t.equal(longest, 2 ** 31 - 1);
});

const HEADERS: readonly [header: string, seconds: number | undefined][] = [
  ['99', 99],
  ['0', 0],
  [new Date(Date.now() + 500_000).toUTCString(), 500],
  ['Sat, 01 Jan 2000 00:00:00 GMT', 0],
  ['soon', undefined],
  ['', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['1, 2', undefined],
  ['2030-01-01', undefined],
  ['Sat, soon GMT', undefined],
];
for (const [header, seconds] of HEADERS) {
  t.test(`Retry-After: ${header || '(empty)'}`, async (t) => {
    const { chat } = await startClient(t, {
      replies: [{ status: 400, headers: { 'retry-after': header } }],
    });
    const error = (await reasonOf(chat.tags.get(TARGET))) as { retryAfterSeconds?: number };
    if (seconds === 500) t.ok(Math.abs(Number(error.retryAfterSeconds) - seconds) < 60);
    else t.equal(error.retryAfterSeconds, seconds);
  });
}
