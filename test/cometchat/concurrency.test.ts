import t from 'tap';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer, OTHER } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

const TWO = { COMETCHAT_MAX_CONCURRENCY: '2' };

t.test('a call beyond the limit of concurrent ones is refused at once, and not queued', async (t) => {
  const over = Promise.withResolvers<void>();
  const clock = { ...MACHINE_CLOCK, wait: () => over.promise };
  const { counted, refused, served, sandbox, setTags, putAs } = await startGateway(t, TWO, {
    seams: { clock },
  });
  // A call that waits for its next attempt counts, too.
  sandbox.fault({ status: 503, times: 2 });
  const held = ['cometchat-uid-1', 'cometchat-uid-2'].map(putAs);
  await counted('attempts cometchat-failed', 2);
  await refused(t, setTags, 503, 'gateway-overloaded', { retryAfter: 1 });
  over.resolve();
  for (const { status } of await Promise.all(held)) t.equal(status, 200);
  await served(t);
});

t.test('a write that waits for its turn counts, until its client has left', async (t) => {
  let begun = 0;
  const { counted, get, put, putAs, refused, sandbox, underWay } = await startGateway(t, TWO, {
    extend: (app) =>
      app.addHook('preHandler', async () => {
        begun += 1;
      }),
  });
  const another = () => putAs('cometchat-uid-1');
  const release = sandbox.hold();
  const { answer: first } = await underWay(() => put({ tags: ['first'], conversationWith: OTHER }));
  const gone = new AbortController();
  const waiting = get('/me/conversations/tags', {
    method: 'PUT',
    headers: { ...(await bearer()), 'content-type': 'application/json' },
    body: JSON.stringify({ tags: ['second'], conversationWith: OTHER }),
    signal: gone.signal,
  });
  // From the hook to the lane it waits for nothing.
  await until('the second write', () => begun === 2);
  await refused(t, another, 503, 'gateway-overloaded', { retryAfter: 1 });
  gone.abort();
  await t.rejects(waiting, { name: 'AbortError' });
  await counted('clients_gone');
  t.equal((await another()).status, 200, 'there is room again');
  release();
  t.equal((await first).status, 200);
});
