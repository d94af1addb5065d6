import t from 'tap';
import { problem, reasonOf, startClient, TARGET, tellingFetch } from './front.ts';

t.test('a signal that has aborted before lets nothing be sent', async (t) => {
  const asked: unknown[] = [];
  const { chat, front } = await startClient(t, {
    token: () => {
      asked.push('token');
      return 'a';
    },
  });
  const reason = new Error('the screen is closed');
  const options = { signal: AbortSignal.abort(reason) };
  for (const operation of [
    () => chat.tags.set(TARGET, ['a'], options),
    () => chat.tags.add(TARGET, ['a'], options),
    () => chat.tags.remove(TARGET, ['a'], options),
    () => chat.tags.change(TARGET, { add: ['a'] }, options),
    () => chat.tags.get(TARGET, options),
    () => chat.conversations.page({}, options),
    () => chat.conversations.list({}, options).next(),
  ]) {
    t.equal(await reasonOf(operation()), reason, 'it rejects with the signal’s reason');
  }
  t.strictSame([front.seen, asked], [[], []]);
});

t.test('a signal that aborts ends the request in the middle, and it is not repeated', async (t) => {
  const { chat, front, gateway } = await startClient(t);
  const release = gateway.sandbox.hold();
  const controller = new AbortController();
  const { answer } = await gateway.underWay(() => chat.tags.get(TARGET, { signal: controller.signal }));
  controller.abort();
  t.match(await reasonOf(answer), { name: 'AbortError' });
  release();
  t.equal(front.seen.length, 1);
});

t.test('a signal that aborts ends a wait', async (t) => {
  const controller = new AbortController();
  const { chat, front } = await startClient(t, {
    replies: [problem('cometchat-busy', { 'retry-after': '50' })],
    timeoutMs: 60_000,
    // By then the client has read the reply, and waits.
    fetch: tellingFetch(() => setImmediate(() => controller.abort('enough'))),
  });
  t.equal(await reasonOf(chat.tags.get(TARGET, { signal: controller.signal })), 'enough');
  t.equal(front.seen.length, 1);
});

t.test('a signal that aborts ends the wait for a token', async (t) => {
  const controller = new AbortController();
  const { chat, front } = await startClient(t, {
    token: () => {
      controller.abort();
      return 'a';
    },
  });
  t.match(await reasonOf(chat.tags.get(TARGET, { signal: controller.signal })), { name: 'AbortError' });
  t.equal(front.seen.length, 0);
});

t.test('a signal without a reason, as React Native has it, gets an AbortError', async (t) => {
  const { chat } = await startClient(t);
  const signal = Object.assign(new EventTarget(), { aborted: true }) as AbortSignal;
  t.match(await reasonOf(chat.tags.get(TARGET, { signal })), {
    name: 'AbortError',
    message: 'The operation was aborted',
  });
});

t.test('a loop over pages ends with the signal', async (t) => {
  const { chat, front } = await startClient(t);
  const controller = new AbortController();
  const seen: number[] = [];
  const loop = async () => {
    for await (const { pagination } of chat.conversations.list(
      { perPage: 1 },
      { signal: controller.signal },
    )) {
      seen.push(pagination.page);
      if (pagination.page === 2) controller.abort();
    }
  };
  t.match(await reasonOf(loop()), { name: 'AbortError' });
  t.strictSame(seen, [1, 2]);
  t.equal(front.seen.length, 2);
});
