import t from 'tap';
import { GatewayError } from '../../client/src/index.ts';
import { withSharedRefresh } from '../../client/src/token.ts';
import { bearer, sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';
import { problem, reasonOf, startClient, TARGET, tellingFetch } from './front.ts';

const EXPIRED = { exp: 1 };

/** A source of tokens: what it is asked, and what it gives. */
function source(current: string, refreshed: () => string | Promise<string>) {
  const refusals: (GatewayError | undefined)[] = [];
  const token = async (refused?: GatewayError) => {
    refusals.push(refused);
    return refused ? refreshed() : current;
  };
  return { refusals, token };
}

t.test('an expired token is refreshed, and the request is sent once more', async (t) => {
  const fresh = await sign();
  const { refusals, token } = source(await sign(EXPIRED), () => fresh);
  const { chat, front } = await startClient(t, { token });
  t.match(await chat.tags.set(TARGET, ['a']), { tags: ['a'] });
  t.match(refusals, [undefined, undefined, { code: 'session-expired', status: 401 }]);
  t.equal(front.seen[1]?.headers.authorization, `Bearer ${fresh}`);
  t.equal(front.seen[1]?.body, front.seen[0]?.body);
});

t.test('it is refreshed once and not forever', async (t) => {
  const { refusals, token } = source(await sign(EXPIRED), () => sign({ exp: 2 }));
  const { chat, front } = await startClient(t, { token });
  t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'session-expired' });
  t.equal(refusals.filter((refused) => refused).length, 1);
  t.equal(front.seen.length, 2);
});

t.test('the same token is not sent again', async (t) => {
  const expired = await sign(EXPIRED);
  const { refusals, token } = source(expired, () => expired);
  const { chat, front } = await startClient(t, { token });
  const error = await reasonOf(chat.tags.get(TARGET));
  t.equal(error, refusals[2], 'the error is that of the refused request');
  t.equal(front.seen.length, 1);
});

t.test('any other refusal of a session ends the request', async (t) => {
  const { chat, front } = await startClient(t, { token: () => 'no-token' });
  t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'session-invalid' });
  t.equal(front.seen.length, 1);
});

t.test('requests that are refused at the same time share one refresh', async (t) => {
  let replies = 0;
  const { refusals, token } = source(await sign(EXPIRED), async () => {
    await until('three refusals', () => replies >= 3);
    return sign();
  });
  const fetch = tellingFetch(() => {
    replies += 1;
  });
  const { chat } = await startClient(t, { token, fetch });
  const answers = [1, 2, 3].map(() => chat.tags.get(TARGET));
  t.equal((await Promise.all(answers)).length, 3);
  t.equal(refusals.filter((refused) => refused).length, 1);
  await chat.tags.get(TARGET);
  t.equal(refusals.filter((refused) => refused).length, 2, 'and the next one gets its own');
});

t.test('a request that is refused after the refresh has ended takes the newer token', async (t) => {
  let current = await sign(EXPIRED);
  const refusals: GatewayError[] = [];
  const token = async (refused?: GatewayError) => {
    if (refused) {
      refusals.push(refused);
      current = await sign();
    }
    return current;
  };
  const { promise: firstHasEnded, resolve } = Promise.withResolvers<void>();
  const holds = [undefined, firstHasEnded];
  const { chat } = await startClient(t, {
    token,
    fetch: async (...args) => {
      const hold = holds.shift();
      const response = await fetch(...args);
      await hold;
      return response;
    },
  });
  const [first, second] = [chat.tags.get(TARGET), chat.tags.get(TARGET)];
  await first;
  resolve();
  await second;
  t.equal(refusals.length, 1);
});

t.test('a refresh that fails at once is not kept', async (t) => {
  const fresh = await sign();
  const expired = await sign(EXPIRED);
  const outcomes = [new Error('offline'), fresh];
  const { chat } = await startClient(t, {
    token: (refused) => {
      if (!refused) return expired;
      const outcome = outcomes.shift() as string | Error;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  });
  t.match(await reasonOf(chat.tags.get(TARGET)), { message: 'offline' });
  t.match(await chat.tags.set(TARGET, ['a']), { tags: ['a'] });
});

t.test('a refresh that does not end is shared for ten seconds', async (t) => {
  let now = 0;
  t.intercept(performance, 'now', { value: () => now, configurable: true });
  const refreshes: ((token: string) => void)[] = [];
  const token = withSharedRefresh((refused) =>
    refused ? new Promise((resolve) => refreshes.push(resolve)) : 'old',
  );
  const refused = new GatewayError('session-expired', 'refused', {});
  const refresh = async () => {
    const answer = token(refused, 'old');
    await new Promise(setImmediate);
    return { answer };
  };
  const first = await refresh();
  now = 10_000;
  const second = await refresh();
  t.equal(refreshes.length, 1);
  now = 10_001;
  const third = await refresh();
  t.equal(refreshes.length, 2);
  refreshes[0]?.('a');
  t.strictSame(await Promise.all([first.answer, second.answer]), ['a', 'a']);
  const fourth = await refresh();
  t.equal(refreshes.length, 2, 'the end of the first does not forget the second');
  refreshes[1]?.('b');
  t.strictSame(await Promise.all([third.answer, fourth.answer]), ['b', 'b']);
});

t.test('what the source of tokens throws is what the request rejects with', async (t) => {
  const failure = new Error('signed out');
  const thrown = () => {
    throw failure;
  };
  for (const token of [thrown, source(await sign(EXPIRED), thrown).token]) {
    const { chat } = await startClient(t, { token });
    t.equal(await reasonOf(chat.tags.get(TARGET)), failure);
  }
});

t.test('the source is asked for each attempt, and a refresh is not one of the three', async (t) => {
  const fresh = await sign();
  const { refusals, token } = source(fresh, () => sign({ jti: 'another' }));
  const { chat, front } = await startClient(t, {
    token,
    replies: [
      problem('gateway-draining'),
      problem('session-expired'),
      problem('gateway-draining'),
      problem('session-expired'),
    ],
  });
  t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'session-expired' });
  t.strictSame(
    refusals.map((refused) => refused?.code),
    [undefined, undefined, undefined, 'session-expired', undefined],
  );
  t.equal(front.seen.length, 4);
});

t.test('a token goes with no cookie, and a source can be a plain function', async (t) => {
  const { authorization } = await bearer();
  const inits: (RequestInit | undefined)[] = [];
  const { chat } = await startClient(t, {
    token: () => authorization.slice('Bearer '.length),
    fetch: (url, init) => {
      inits.push(init);
      return fetch(url, init);
    },
  });
  await chat.tags.get(TARGET);
  t.match(inits, [{ credentials: 'omit', redirect: 'error', headers: { authorization } }]);
});
