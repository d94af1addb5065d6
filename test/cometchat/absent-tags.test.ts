import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import type { Operation } from '../../src/cometchat/call.ts';
import type { UpstreamConversation } from '../../src/cometchat/conversation.ts';
import { getConversation, setTags, type Target } from '../../src/cometchat/operations.ts';
import { cometChatIdOf } from '../helpers/room.ts';

const [example = {}] = DOCUMENTED_REPLY.data;
const like = (changes: Record<string, unknown>) => JSON.parse(JSON.stringify({ ...example, ...changes }));
const TARGET: Target = { type: 'group', id: cometChatIdOf('project-group') };
const ODD = ['a', 1, {}, ['a', 1], Array(1001).fill('a')];

/** What an operation makes of the tags in a reply with these conversations, and the parts that it leaves out. */
function tagsOf({ read }: Operation<UpstreamConversation[]>, data: unknown) {
  const reading = read({ data });
  if ('mismatch' in reading) throw new Error(reading.mismatch);
  const { value, leftOut } = reading;
  return [value.map((one) => ('tags' in one ? one.tags : 'left out')), leftOut];
}

t.test('after a write they are those that were written, where one conversation comes back', async (t) => {
  const operation = setTags(TARGET, ['mine']);
  t.strictSame(tagsOf(operation, like({ tags: ['theirs'] })), [[['theirs']], undefined]);
  t.strictSame(tagsOf(operation, like({ tags: [] })), [[[]], undefined]);
  t.strictSame(tagsOf(operation, example), [[['mine']], undefined]);
  t.strictSame(tagsOf(operation, [like({ tags: null })]), [[['mine']], undefined]);
  t.strictSame(tagsOf(operation, []), [[], undefined]);
  for (const tags of ODD) t.strictSame(tagsOf(operation, like({ tags })), [[['mine']], ['/tags']]);
});

t.test('nobody knows which one of several they belong to', async (t) => {
  const operation = setTags(TARGET, ['mine']);
  t.strictSame(tagsOf(operation, [example, like({ tags: ['a'] })]), [['left out', ['a']], undefined]);
  t.strictSame(tagsOf(operation, [example, {}]), [['left out'], undefined], 'nor where one was dropped');
});

t.test('after a read there are none, as CometChat’s SDK reads it', async (t) => {
  const operation = getConversation(TARGET);
  t.strictSame(tagsOf(operation, like({ tags: ['theirs'] })), [[['theirs']], undefined]);
  t.strictSame(tagsOf(operation, example), [[[]], undefined]);
  t.strictSame(tagsOf(operation, [like({ tags: null }), {}, example]), [[[], []], undefined]);
});

t.test('after a read those in an odd form are left out: there may be some', async (t) => {
  for (const tags of ODD) {
    t.strictSame(tagsOf(getConversation(TARGET), like({ tags })), [['left out'], ['/tags']]);
  }
});

t.test('a reply that cannot be read has none', async (t) => {
  for (const { read } of [setTags(TARGET, ['mine']), getConversation(TARGET)]) {
    t.match(read({ data: [{}] }), { mismatch: /^\/data\/0\/conversationId: / });
  }
});
