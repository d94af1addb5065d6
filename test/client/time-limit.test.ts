import t from 'tap';
import { createClient } from '../../client/src/index.ts';
import { startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';
import { problem, reasonOf, startClient, TARGET } from './front.ts';

t.test('the time is that of the operation, all attempts and waits in it', async (t) => {
  const { chat, front } = await startClient(t);
  // The first request makes the connection, so that the next ones are quick.
  await chat.tags.get(TARGET);
  front.replies.push('reset', problem('gateway-draining'), 'silence');
  const start = performance.now();
  const error = await reasonOf(chat.tags.get(TARGET, { timeoutMs: 2000 }));
  const tookMs = performance.now() - start;
  t.match(error, {
    name: 'GatewayError',
    code: 'timeout',
    message: 'No answer within 2000 ms',
    status: undefined,
    cause: { code: 'gateway-draining' },
  });
  t.ok(tookMs >= 1999, `${tookMs} ms`);
  t.equal(front.seen.length, 4);
});

t.test('without an answer there is no cause', async (t) => {
  const { chat } = await startClient(t, { replies: ['silence'], timeoutMs: 50 });
  const error = await reasonOf(chat.tags.get(TARGET));
  t.match(error, { code: 'timeout' });
  t.notOk('cause' in (error as Error));
});

t.test('the connection is given up with the operation', async (t) => {
  let signal: AbortSignal | null | undefined;
  const { chat } = await startClient(t, {
    replies: ['silence'],
    timeoutMs: 50,
    fetch: (url, init) => {
      signal = init?.signal;
      return fetch(url, init);
    },
  });
  t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'timeout' });
  t.equal(signal?.aborted, true);
});

t.test('a source of tokens and a fetch that never answer are waited for no longer', async (t) => {
  const { origin } = await startGateway(t);
  const never = () => new Promise<never>(() => {});
  for (const options of [{ token: never }, { token: () => sign(), fetch: never }]) {
    const chat = createClient({ baseUrl: origin, timeoutMs: 50, ...options });
    t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'timeout' });
  }
});

t.test('a time of any length is none too long for a timer', async (t) => {
  const { chat } = await startClient(t, { timeoutMs: Number.POSITIVE_INFINITY });
  t.match(await chat.tags.set(TARGET, ['a']), { tags: ['a'] });
});

t.test('the caller’s signal is let go with the operation', async (t) => {
  const { chat } = await startClient(t);
  const { signal } = new AbortController();
  const calls: string[] = [];
  signal.addEventListener = (type: string) => calls.push(`add ${type}`);
  signal.removeEventListener = (type: string) => calls.push(`remove ${type}`);
  await chat.tags.get(TARGET, { signal });
  t.strictSame(calls, ['add abort', 'remove abort']);
});
