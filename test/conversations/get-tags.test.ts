import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer, ME, OTHER, sign } from '../helpers/tokens.ts';

const [example = {}] = DOCUMENTED_REPLY.data;
const PATH = `/v3/users/${OTHER}/conversation`;

t.test('the tags that were set are read back, with the conversation as a write answers it', async (t) => {
  const { put, getTags, served, sandbox } = await startGateway(t);
  const written = await put({ tags: ['archived', 'vip'], conversationWith: OTHER });
  const { json } = await served(t, () => getTags({ conversationWith: OTHER }));
  t.strictSame(json, written.json);
  const call = sandbox.calls.at(-1);
  t.match(call, { method: 'GET', path: PATH, body: '', headers: { onbehalfof: ME } });
  t.match((await getTags({ conversationWith: OTHER }, await bearer({ sub: 'cometchat-uid-1' }))).json, {
    conversations: [{ tags: [], conversationWith: { uid: OTHER } }],
  });
});

t.test('a group’s are read, and without conversationWith the path is the caller’s own uid', async (t) => {
  const { getTags, served, sandbox } = await startGateway(t);
  const group = { conversationWith: 'project-group', conversationType: 'group' };
  const { json } = await served(t, () => getTags(group));
  t.match(json.conversations, [{ conversationType: 'group', conversationWith: { guid: 'project-group' } }]);
  for (const query of ['', 'conversationType=user']) await served(t, () => getTags(query));
  t.strictSame(
    sandbox.calls.map(({ path }) => path),
    ['/v3/groups/project-group/conversation', ...Array(2).fill(`/v3/users/${ME}/conversation`)],
  );
});

t.test('where CometChat sends no tags there are none', async (t) => {
  const { getTags, served, sandbox } = await startGateway(t);
  for (const data of [example, [example], { ...example, tags: null }]) {
    sandbox.fault({ status: 200, body: { data } });
    const { json } = await served(t, () => getTags());
    t.match(json.conversations, [{ conversationId: 'group_project-group', tags: [] }]);
  }
});

t.test('where it sends them in an odd form they are left out, and the log says so', async (t) => {
  const { getTags, meets, sandbox } = await startGateway(t);
  sandbox.fault({ status: 200, body: { data: { ...example, tags: 'private' } } });
  const expected = {
    answer: 200,
    calls: 1,
    line: { status: 200, leftOut: ['/tags'] },
    moved: { 'attempts ok': 1, 'reply_parts_left_out /tags': 1 },
  } as const;
  const { json } = await meets(t, expected, () => getTags());
  t.equal(json.conversations.length, 1);
  t.notOk('tags' in json.conversations[0]);
});

t.test('its line in the log has the fields of a write’s, and nothing of the query', async (t) => {
  const { getTags, requests, lines, sandbox } = await startGateway(t);
  sandbox.fault({ status: 503 });
  await getTags({ conversationWith: OTHER });
  await getTags({ conversationWith: 'pasted-text' });
  const fields = { method: 'GET', route: '/me/conversations/tags', onBehalfOf: ME };
  t.match(requests(), [
    { ...fields, status: 200, cometchat: { status: 200 }, retried: ['503'] },
    { ...fields, status: 404, problem: 'user-not-found', cometchat: { code: 'ERR_UID_NOT_FOUND' } },
  ]);
  t.notMatch(lines.join(), new RegExp(`pasted-text|${OTHER}|conversationWith`));
});

t.test('a read does not wait for a write that is under way', async (t) => {
  const { getTags, setTags, sandbox, underWay } = await startGateway(t);
  const release = sandbox.hold();
  const { answer } = await underWay(setTags);
  t.equal((await getTags({ conversationWith: OTHER })).status, 200);
  release();
  t.equal((await answer).status, 200);
});

t.test('nothing that a client sends can change whose name the call goes out in', async (t) => {
  const { getTags, served, sandbox } = await startGateway(t);
  const headers = { onBehalfOf: OTHER, apikey: 'mine', 'x-custom': 'x' };
  await served(t, () => getTags({ conversationWith: OTHER }, headers));
  t.equal(sandbox.calls[0]?.headers.onbehalfof, ME);
  t.notOk(Object.keys(sandbox.calls[0]?.headers ?? {}).some((name) => name.startsWith('x-')));
});

t.test('uid and onBehalfOf come from the claims that the templates name', async (t) => {
  const env = { UID_TEMPLATE: 'cometchat-uid-{number}', ON_BEHALF_OF_TEMPLATE: '{act.sub}' };
  const { getTags, sandbox } = await startGateway(t, env);
  const token = await sign({ sub: undefined, number: 3, act: { sub: ME } });
  t.equal((await getTags('', { authorization: `Bearer ${token}` })).status, 200);
  t.match(sandbox.calls, [{ path: PATH, headers: { onbehalfof: ME } }]);
});
