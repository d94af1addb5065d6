import t from 'tap';
import { DOCUMENTED_REPLY, World } from '../../sandbox/world.ts';
import { KEY, sandboxed } from './sandboxed.ts';

const PATH = '/v3/users/cometchat-uid-2/conversation';

t.test('a read gives one conversation, with its tags', async (t) => {
  const { call } = await sandboxed(t);
  for (const [path, conversationType] of [
    [PATH, 'user'],
    ['/v3/users/friend-03/conversation', 'user'],
    ['/v3/groups/project-group/conversation', 'group'],
  ] as const) {
    t.match(await call('GET', path), { status: 200, json: { data: { conversationType, tags: [] } } });
    const { json } = await call('PUT', path, { tags: ['b', 'a'] });
    t.same(json.data.tags, ['b', 'a']);
    t.same((await call('GET', path)).json, json, 'as the write had it');
    t.same((await call('GET', `${path}?unknown=1`)).json, json, 'a query changes nothing');
  }
});

t.test('it refuses a read by the code that it refuses a write with', async (t) => {
  const { call } = await sandboxed(t);
  const cases = [
    ['nobody', '/users/cometchat-uid-2', 404, 'ERR_UID_NOT_FOUND'],
    ['cometchat-uid-1', '/users/nobody', 404, 'ERR_UID_NOT_FOUND'],
    ['cometchat-uid-1', '/users/friend-57', 404, 'ERR_UID_NOT_FOUND'],
    ['cometchat-uid-1', '/groups/nothing', 404, 'ERR_GUID_NOT_FOUND'],
    ['cometchat-uid-5', '/groups/project-group', 403, 'ERR_NOT_A_MEMBER'],
    ['cometchat-uid-5', '/users/cometchat-uid-4', 404, 'ERR_CONVERSATION_NOT_ACCESSIBLE'],
    ['cometchat-uid-4', '/users/cometchat-uid-5', 404, 'ERR_CONVERSATION_NOT_ACCESSIBLE'],
  ] as const;
  for (const [onBehalfOf, path, status, code] of cases) {
    for (const [method, body] of [['GET'], ['PUT', { tags: [] }]] as const) {
      const reply = await call(method, `/v3${path}/conversation`, body, { onBehalfOf });
      t.match(reply, { status, json: { error: { code } } }, `${method} ${path}`);
    }
  }
});

t.test('a read of a single conversation needs onBehalfOf', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  const refusal = { error: { code: 'ERR_BAD_REQUEST', details: { onBehalfOf: [/required/] } } };
  t.match(await call('GET', PATH, undefined, { onBehalfOf: '' }), { status: 400, json: refusal });
  const response = await fetch(sandbox.origin + PATH, { headers: { apikey: KEY } });
  t.equal(response.status, 400);
  t.match(await response.json(), refusal);
});

t.test('the conversation with oneself is the documented example, for a read and for a write', async (t) => {
  const { call } = await sandboxed(t);
  const path = '/v3/users/cometchat-uid-1/conversation';
  t.same((await call('PUT', path, { tags: ['a'] })).json, DOCUMENTED_REPLY);
  t.same((await call('GET', path)).json, DOCUMENTED_REPLY);
});

t.test('in a world of many users any two have a conversation, and lists stay short', async (t) => {
  const world = new World(200);
  for (const number of [2, 7, 31]) {
    const other = `cometchat-uid-${170 - number}`;
    world.update('cometchat-uid-170', 'users', other, { tags: ['a'] });
    t.match(world.read('cometchat-uid-170', 'users', other), { data: { tags: ['a'] } });
    t.match(world.read(other, 'users', 'cometchat-uid-170'), { data: { tags: [] } });
  }
  const conversationIds = world.list('cometchat-uid-170').map(({ conversationId }) => conversationId);
  t.equal(conversationIds.length, 5 + 56 + 3, 'the first users, the friends, and those with tags');
  t.equal(new Set(conversationIds).size, conversationIds.length);
  t.equal(world.list('cometchat-uid-171').length, 5 + 56);
});
