import t from 'tap';
import { isProblem } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { ME, OTHER, sign } from '../helpers/tokens.ts';

t.test(
  'a conversation with another user: the call goes out in the caller’s name, the answer is slim',
  async (t) => {
    const { put, sandbox } = await startGateway(t);
    const answer = await put({ tags: ['archived', 'vip'], conversationWith: OTHER });
    t.equal(answer.status, 200);
    t.strictSame(answer.json, {
      conversations: [
        {
          conversationId: 'cometchat-uid-3_user_cometchat-uid-4',
          conversationType: 'user',
          tags: ['archived', 'vip'],
          unreadMessageCount: 0,
          createdAt: 1630071782,
          updatedAt: 1630481413,
          conversationWith: {
            uid: OTHER,
            name: 'George Alan',
            avatar: 'https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-3.webp',
          },
          lastMessage: { id: '50', sender: OTHER, category: 'message', type: 'text', sentAt: 1630305562 },
        },
      ],
    });
    t.match(sandbox.calls, [{ path: `/v3/users/${OTHER}/conversation`, headers: { onbehalfof: ME } }]);
    t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['archived', 'vip']);
    t.strictSame(sandbox.world.tags(OTHER, 'users', ME), [], 'the other side has a set of its own');
  },
);

t.test('a group conversation', async (t) => {
  const { put, sandbox } = await startGateway(t);
  const answer = await put({ tags: ['a'], conversationWith: 'project-group', conversationType: 'group' });
  t.match(answer.json.conversations, [
    {
      conversationType: 'group',
      tags: ['a'],
      conversationWith: { guid: 'project-group', name: 'Project Group1' },
    },
  ]);
  t.equal(sandbox.calls[0]?.path, '/v3/groups/project-group/conversation');
});

t.test('without conversationWith the path is the caller’s own uid', async (t) => {
  const { put, sandbox } = await startGateway(t);
  const answer = await put({ tags: ['mine'] });
  t.equal(sandbox.calls[0]?.path, `/v3/users/${ME}/conversation`);
  t.match(answer.json.conversations, [{ conversationId: 'group_project-group', tags: ['mine'] }]);
});

t.test('uid and onBehalfOf come from the claims that the templates name', async (t) => {
  const { put, sandbox } = await startGateway(t, {
    UID_TEMPLATE: 'cometchat-uid-{number}',
    ON_BEHALF_OF_TEMPLATE: '{act.sub}',
    UID_LOWERCASE: 'true',
  });
  const token = await sign({ sub: undefined, number: 3, act: { sub: 'CometChat-UID-4' } });
  t.equal((await put({ tags: [] }, { authorization: `Bearer ${token}` })).status, 200);
  t.match(sandbox.calls, [{ path: `/v3/users/${OTHER}/conversation`, headers: { onbehalfof: ME } }]);
});

t.test('PUT replaces the whole set, and an empty array clears it', async (t) => {
  const { put, sandbox } = await startGateway(t);
  for (const tags of [['a', 'b'], ['c'], []]) {
    const answer = await put({ tags, conversationWith: OTHER });
    t.strictSame(answer.json.conversations[0].tags, tags);
    t.strictSame(sandbox.world.tags(ME, 'users', OTHER), tags);
  }
});

t.test('nothing that a client sends can change whose name the call goes out in', async (t) => {
  const { put, sandbox } = await startGateway(t);
  const headers = { onBehalfOf: OTHER, apikey: 'mine', 'x-forwarded-for': '1.2.3.4', 'x-custom': 'x' };
  t.equal((await put({ tags: [], conversationWith: OTHER }, headers)).status, 200);
  t.equal(sandbox.calls[0]?.headers.onbehalfof, ME);
  t.notOk(Object.keys(sandbox.calls[0]?.headers ?? {}).some((name) => name.startsWith('x-')));
  isProblem(t, await put({ tags: [], onBehalfOf: OTHER }), 400, 'body-invalid');
  isProblem(t, await put({ tags: [], uid: OTHER }), 400, 'body-invalid');
  t.equal(sandbox.calls.length, 1);
});
