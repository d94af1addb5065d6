import t from 'tap';
import { createClient, targetOf } from '../../client/src/index.ts';
import { startGateway } from '../helpers/gateway.ts';
import { OTHER, sign } from '../helpers/tokens.ts';
import { startClient, TARGET } from './front.ts';

t.test('tags are set, added, removed and read, and each operation gives the conversation', async (t) => {
  const { chat } = await startClient(t);
  const { tags } = chat;
  t.match(await tags.set(TARGET, ['archived', 'vip']), {
    conversationId: 'cometchat-uid-3_user_cometchat-uid-4',
    conversationWith: { uid: OTHER },
    tags: ['archived', 'vip'],
  });
  t.strictSame((await tags.add(TARGET, ['pinned'])).tags, ['archived', 'vip', 'pinned']);
  t.strictSame((await tags.remove(TARGET, ['vip'])).tags, ['archived', 'pinned']);
  t.strictSame((await tags.change(TARGET, { add: ['new'], remove: ['archived'] })).tags, ['pinned', 'new']);
  t.strictSame((await tags.get(TARGET)).tags, ['pinned', 'new']);
  t.strictSame((await tags.set(TARGET, [])).tags, []);
});

t.test('a change of both kinds is one request', async (t) => {
  const { chat, front } = await startClient(t);
  await chat.tags.change(TARGET, { add: ['new'], remove: ['old'] });
  t.strictSame(
    front.seen.map(({ method, body }) => [method, JSON.parse(body)]),
    [['PATCH', { ...TARGET, add: ['new'], remove: ['old'] }]],
  );
});

t.test('a group is addressed in writes and in reads', async (t) => {
  const { chat } = await startClient(t);
  const group = { conversationWith: 'cometchat-guid-1', conversationType: 'group' } as const;
  t.match(await chat.tags.set(group, ['a']), { conversationWith: { guid: 'cometchat-guid-1' } });
  t.match(await chat.tags.add(group, ['b']), { tags: ['a', 'b'] });
  t.match(await chat.tags.get(group), { conversationType: 'group', tags: ['a', 'b'] });
});

t.test('the address may end with a slash, and have a path', async (t) => {
  const { origin } = await startGateway(t);
  const chat = createClient({ baseUrl: `${origin}//`, token: () => sign() });
  t.match(await chat.tags.get(TARGET), { conversationWith: { uid: OTHER } });
  const urls: string[] = [];
  const prefixed = createClient({
    baseUrl: `${origin}/chat/`,
    token: () => sign(),
    fetch: async (url, init) => {
      urls.push(String(url));
      return fetch(String(url).replace('/chat', ''), init);
    },
  });
  await prefixed.tags.get(TARGET);
  t.strictSame(urls, [`${origin}/chat/me/conversations/tags?conversationWith=${OTHER}`]);
});

t.test('a listed conversation can be tagged', async (t) => {
  const { chat } = await startClient(t);
  const { conversations } = await chat.conversations.page({ perPage: 100 });
  const types = new Set<string>();
  for (const conversation of conversations) {
    const after = await chat.tags.add(targetOf(conversation), ['new']);
    t.equal(after.conversationId, conversation.conversationId);
    types.add(conversation.conversationType);
  }
  t.strictSame([...types].sort(), ['group', 'user']);
});

t.test('what an id holds cannot become another parameter', async (t) => {
  const { chat, front } = await startClient(t);
  for (const conversationWith of ['a&conversationType=group', 'ü']) {
    await t.rejects(chat.tags.get({ conversationWith }), { code: 'query-invalid' }, conversationWith);
  }
  t.equal(front.seen[0]?.url, '/me/conversations/tags?conversationWith=a%26conversationType%3Dgroup');
});

t.test('any tag comes back as it was set', async (t) => {
  const { chat } = await startClient(t);
  const tags = ['ä & b=c', '😀', '"quoted"', 'a,b'];
  t.strictSame((await chat.tags.set(TARGET, tags)).tags, tags);
  t.strictSame((await chat.tags.get(TARGET)).tags, tags);
});
