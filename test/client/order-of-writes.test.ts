import t from 'tap';
import { inLane, type Lanes } from '../../client/src/lane.ts';
import { problem, reasonOf, startClient, TARGET } from './front.ts';

const GROUP = { conversationWith: 'cometchat-guid-1', conversationType: 'group' } as const;

t.test('a write that is repeated does not undo a later one', async (t) => {
  const { chat, front } = await startClient(t, { replies: [problem('cometchat-busy')] });
  const writes = [chat.tags.set(TARGET, ['old']), chat.tags.set(TARGET, ['new'])];
  await Promise.all(writes);
  t.strictSame((await chat.tags.get(TARGET)).tags, ['new']);
  t.strictSame(
    front.seen.slice(0, 3).map(({ body }) => JSON.parse(body).tags),
    [['old'], ['old'], ['new']],
  );

  front.replies.push('reset');
  const changes = [
    chat.tags.add(TARGET, ['pinned']),
    chat.tags.remove({ ...TARGET, conversationType: 'user' }, ['pinned']),
  ];
  await Promise.all(changes);
  t.strictSame((await chat.tags.get(TARGET)).tags, ['new'], 'a type that is left out is user');
});

t.test('reads and writes to other conversations do not wait', async (t) => {
  const { chat, front } = await startClient(t, { replies: ['silence'] });
  const controller = new AbortController();
  const { answer } = await front.arrived(() => chat.tags.set(TARGET, ['a'], { signal: controller.signal }));
  await chat.tags.get(TARGET);
  await chat.conversations.page();
  await chat.tags.set({ conversationWith: 'cometchat-uid-2' }, ['a']);
  await chat.tags.set(GROUP, ['a']);
  await chat.tags.set({ conversationWith: GROUP.conversationWith }, ['a']).catch(() => {});
  controller.abort();
  await reasonOf(answer);
});

t.test('a write begins after an earlier one that has failed', async (t) => {
  const { chat } = await startClient(t);
  const [refused, next] = [chat.tags.set(TARGET, ['']), chat.tags.set(TARGET, ['a'])];
  t.match(await reasonOf(refused), { code: 'body-invalid' });
  t.match(await next, { tags: ['a'] });
});

t.test('a write that waits can be aborted, and its time can end; later ones wait on', async (t) => {
  const { chat, front } = await startClient(t, { replies: ['silence'] });
  const [first, second] = [new AbortController(), new AbortController()];
  const { answer } = await front.arrived(() => chat.tags.set(TARGET, ['1'], { signal: first.signal }));
  const aborted = reasonOf(chat.tags.set(TARGET, ['2'], { signal: second.signal }));
  const late = reasonOf(chat.tags.set(TARGET, ['3'], { timeoutMs: 50 }));
  const last = chat.tags.set(TARGET, ['4']);
  second.abort('enough');
  t.equal(await aborted, 'enough');
  t.match(await late, { code: 'timeout' });
  await chat.tags.get(TARGET);
  t.equal(front.seen.length, 2, 'the last one still waits');
  first.abort();
  await reasonOf(answer);
  t.match(await last, { tags: ['4'] });
  t.strictSame(
    front.seen.filter(({ method }) => method === 'PUT').map(({ body }) => JSON.parse(body).tags),
    [['1'], ['4']],
  );
});

t.test('an empty lane takes no memory', async (t) => {
  const lanes: Lanes = new Map();
  const writes = [
    inLane(lanes, 'a', async () => {}),
    inLane(lanes, 'a', async (before) => before),
    inLane(lanes, 'b', () => Promise.reject(new Error('failed'))),
  ];
  t.equal(lanes.size, 2);
  await Promise.allSettled(writes);
  await new Promise(setImmediate);
  t.equal(lanes.size, 0);
});
