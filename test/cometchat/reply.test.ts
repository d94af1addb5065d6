import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { readConversations } from '../../src/cometchat/conversation.ts';
import { build, isProblem } from '../helper.ts';

const [example = {}] = DOCUMENTED_REPLY.data;
/** The documented conversation with some fields changed, or left out by `undefined`. */
const like = (changes: Record<string, unknown>) => JSON.parse(JSON.stringify({ ...example, ...changes }));

t.test('one conversation or an array of any length is understood', async (t) => {
  t.match(readConversations({ data: example }), { value: { length: 1 } });
  for (const length of [0, 1, 3]) {
    t.match(readConversations({ data: Array(length).fill(example) }), { value: { length } });
  }
});

t.test('what CometChat’s pages disagree about is taken either way', async (t) => {
  const taken = [
    { unreadMessageCount: 3 },
    { unreadMessageCount: '3' },
    { tags: ['a'] },
    { tags: null },
    { lastMessage: undefined },
    { lastMessage: null },
    { brandNew: { field: true } },
    { conversationType: 'user', conversationWith: { uid: 'u', name: 'U', avatar: null } },
  ];
  for (const changes of taken) t.match(readConversations({ data: like(changes) }), { value: [{}] });
});

t.test('a reply of another shape is a 502 that says so, and never half an answer', async (t) => {
  const { put, sandbox, requests } = await build(t);
  const changed = [
    { conversationId: undefined },
    { conversationId: 5 },
    { conversationType: 'channel' },
    { conversationType: 'user' },
    { unreadMessageCount: 'many' },
    { unreadMessageCount: -1 },
    { createdAt: '2021-08-27' },
    { updatedAt: undefined },
    { tags: 'a' },
    { tags: [1] },
    { conversationWith: undefined },
    { conversationWith: { guid: 'g' } },
    { lastMessage: { id: '1' } },
  ].map((changes) => ({ data: like(changes) }));
  const strange = [
    {},
    [],
    'null',
    { data: null },
    { data: 'text' },
    { data: [[]] },
    '{"data":',
    '',
    '<html></html>',
    `\ufeff${JSON.stringify(DOCUMENTED_REPLY)}`,
  ];
  for (const body of [...changed, ...strange]) {
    sandbox.fault({ status: 200, body });
    t.comment(JSON.stringify(body).slice(0, 80));
    isProblem(t, await put({ tags: [] }), 502, 'cometchat-reply-invalid');
    t.match(requests().at(-1), { error: { type: 'reply_invalid' }, cometchat: { status: 200 } });
  }
});

t.test('the log says where a reply first differs from its schema, and none of its values', async (t) => {
  const user = { conversationType: 'user', conversationWith: { uid: 'u', name: 'private' } };
  const cases: [unknown, string][] = [
    ['{"data":', 'no JSON'],
    ['null', ': Expected object'],
    [{}, '/data: Expected required property'],
    [{ data: 'private' }, '/data: Expected union value'],
    [{ data: { private: 'private' } }, '/data/conversationId: Expected required property'],
    [{ data: like({ createdAt: 'private' }) }, '/data/createdAt: Expected integer'],
    [{ data: [example, like({ createdAt: 'private' })] }, '/data/1/createdAt: Expected integer'],
    [{ data: like({ conversationType: 'private' }) }, "/data/conversationType: Expected 'user'"],
    [{ data: like({ ...user, updatedAt: undefined }) }, '/data/updatedAt: Expected required property'],
    [
      { data: like({ conversationWith: { guid: 'g' } }) },
      '/data/conversationWith/name: Expected required property',
    ],
  ];
  const { put, sandbox, requests, lines } = await build(t);
  for (const [body, mismatch] of cases) {
    sandbox.fault({ status: 200, body });
    await put({ tags: [] });
    t.equal(requests().at(-1)?.mismatch, mismatch);
  }
  t.notMatch(lines.join(), 'private');
});

t.test('a reply that does not say it is JSON is not read as JSON, unless it says nothing', async (t) => {
  const { put, sandbox } = await build(t);
  for (const type of ['text/html', 'application/jsonp', 'application/problem+xml']) {
    sandbox.fault({ status: 200, headers: { 'content-type': type }, body: DOCUMENTED_REPLY });
    isProblem(t, await put({ tags: [] }), 502, 'cometchat-reply-invalid');
  }
  for (const type of ['application/json;charset=utf-8', 'application/hal+json', 'Application/JSON']) {
    sandbox.fault({ status: 200, headers: { 'content-type': type }, body: DOCUMENTED_REPLY });
    t.equal((await put({ tags: [] })).status, 200, type);
  }
});
