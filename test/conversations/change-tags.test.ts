import t from 'tap';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { withAndWithoutRedis } from '../helpers/redis.ts';
import { ME, OTHER } from '../helpers/tokens.ts';

const TWENTY_FOUR = Array.from({ length: 24 }, (_, number) => `t${number}`);

/** Puts tags on the one conversation past the gateway, as CometChat's own apps do. */
const has = ({ sandbox }: Gateway, tags: readonly string[]) =>
  sandbox.world.update(ME, 'users', OTHER, { tags });
const tagsOf = ({ sandbox }: Gateway) => sandbox.world.tags(ME, 'users', OTHER);
const methods = ({ sandbox }: Gateway) => sandbox.calls.map(({ method }) => method);

withAndWithoutRedis(
  'single tags are added and removed, and all others stay where they are',
  async (t, redis) => {
    const gateway = await startGateway(t, { REDIS_URL: redis?.url });
    has(gateway, ['inbox', 'b', 'a']);
    const answer = await gateway.meets(
      t,
      {
        answer: 200,
        calls: 2,
        line: { level: 'info', status: 200, route: '/me/conversations/tags' },
        moved: { 'attempts ok': 2 },
      },
      () => gateway.patch({ add: ['vip', 'a'], remove: ['inbox', 'none'], conversationWith: OTHER }),
    );
    t.strictSame(answer.json.conversations[0].tags, ['b', 'a', 'vip']);
    t.strictSame(tagsOf(gateway), ['b', 'a', 'vip']);
    t.match(gateway.sandbox.calls, [
      { method: 'GET', path: `/v3/users/${OTHER}/conversation`, headers: { onbehalfof: ME } },
      {
        method: 'PUT',
        path: `/v3/users/${OTHER}/conversation`,
        headers: { onbehalfof: ME },
        body: '{"tags":["b","a","vip"]}',
      },
    ]);
  },
);

t.test('of a group', async (t) => {
  const { patch, sandbox } = await startGateway(t);
  const group = { conversationWith: 'project-group', conversationType: 'group' };
  const answer = await patch({ add: ['pinned'], ...group });
  t.match(answer.json.conversations, [{ conversationType: 'group', tags: ['pinned'] }]);
  t.strictSame(sandbox.world.tags(ME, 'groups', 'project-group'), ['pinned']);
});

t.test('where nothing changes nothing is written, and the answer is the conversation as read', async (t) => {
  const gateway = await startGateway(t);
  has(gateway, ['vip']);
  const answer = await gateway.patch({ add: ['vip'], remove: ['inbox'], conversationWith: OTHER });
  t.match(answer.json.conversations, [{ tags: ['vip'], conversationWith: { uid: OTHER } }]);
  t.strictSame(methods(gateway), ['GET']);
});

t.test('tags are trimmed and put into NFC, and what is removed is found in any form', async (t) => {
  const gateway = await startGateway(t);
  has(gateway, ['cafe\u0301', 'b']);
  await gateway.patch({ add: [' u\u0308 '], remove: ['caf\u00e9'], conversationWith: OTHER });
  t.strictSame(tagsOf(gateway), ['b', '\u00fc']);
});

t.test('more than 25 tags are a 409, and nothing is written', async (t) => {
  const gateway = await startGateway(t);
  has(gateway, TWENTY_FOUR);
  await gateway.meets(
    t,
    {
      answer: [409, 'too-many-tags'],
      calls: 1,
      line: { level: 'info', problem: 'too-many-tags', error: { type: 'too-many-tags' } },
      moved: { 'problems too-many-tags': 1, 'attempts ok': 1 },
    },
    () => gateway.patch({ add: ['x', 'y'], conversationWith: OTHER }),
  );
  t.strictSame(tagsOf(gateway), TWENTY_FOUR);
  const both = await gateway.patch({ add: ['x', 'y'], remove: ['t0'], conversationWith: OTHER });
  t.equal(both.json.conversations[0].tags.length, 25);
});

t.test('of two that wait with 24 tags one is added, and the other one refused', async (t) => {
  const gateway = await startGateway(t);
  has(gateway, TWENTY_FOUR);
  const { patch, sandbox, underWay, counted } = gateway;
  const release = sandbox.hold('GET');
  const add = (tag: string) => patch({ add: [tag], conversationWith: OTHER });
  const { answer } = await underWay(() => patch({ remove: ['none'], conversationWith: OTHER }));
  const [first, second] = [add('x'), add('y')];
  await counted('composed_writes');
  release();
  t.equal((await answer).status, 200);
  const answers = await Promise.all([first, second]);
  t.strictSame(answers.map(({ status, json }) => json.code ?? status).sort(), [200, 'too-many-tags']);
  t.equal(tagsOf(gateway).length, 25);
  t.strictSame(methods(gateway), ['GET', 'GET', 'PUT']);
});

const CONVERSATION = {
  conversationId: 'cometchat-uid-3_user_cometchat-uid-4',
  conversationType: 'user',
  conversationWith: { uid: OTHER },
  tags: ['a'],
};
const { tags: _tags, ...WITHOUT_TAGS } = CONVERSATION;

/** What the change of a tag must not be made of: it could erase tags that it has not seen. */
const NOT_TO_BUILD_ON: readonly [what: string, data: unknown][] = [
  ['no conversation', []],
  ['two conversations', [CONVERSATION, CONVERSATION]],
  ['a second one without its ids', [CONVERSATION, {}]],
  ['one with somebody else', { ...CONVERSATION, conversationWith: { uid: 'cometchat-uid-1' } }],
  ['one of a group', { ...CONVERSATION, conversationType: 'group', conversationWith: { guid: OTHER } }],
  ['one without its ids', WITHOUT_TAGS.conversationWith],
  ['tags that are no list', { ...CONVERSATION, tags: { 0: 'a' } }],
  ['tags that are text', { ...CONVERSATION, tags: 'a' }],
  ['a tag that is no text', { ...CONVERSATION, tags: ['a', 7] }],
];

for (const [what, data] of NOT_TO_BUILD_ON) {
  t.test(`a reply that has ${what} is not built on`, async (t) => {
    const gateway = await startGateway(t);
    has(gateway, ['keep']);
    gateway.sandbox.fault({ method: 'GET', status: 200, body: { data } });
    const answer = await gateway.patch({ add: ['b'], conversationWith: OTHER });
    t.equal(answer.json.code, 'cometchat-reply-invalid');
    t.strictSame(methods(gateway), ['GET']);
    t.strictSame(tagsOf(gateway), ['keep']);
    t.match(gateway.requests(), [{ mismatch: /^\/data/ }]);
  });
}

for (const [what, data] of [
  ['absent', WITHOUT_TAGS],
  ['null', { ...CONVERSATION, tags: null }],
  ['absent, in an array of one', [WITHOUT_TAGS]],
] as const) {
  t.test(`tags that are ${what} count as none, and as a metric`, async (t) => {
    const gateway = await startGateway(t);
    gateway.sandbox.fault({ method: 'GET', status: 200, body: { data } });
    await gateway.meets(
      t,
      { answer: 200, calls: 2, line: { status: 200 }, moved: { 'attempts ok': 2, tags_absent: 1 } },
      () => gateway.patch({ add: ['b'], conversationWith: OTHER }),
    );
    t.strictSame(tagsOf(gateway), ['b']);
    gateway.sandbox.fault({ method: 'GET', status: 200, body: { data } });
    const unchanged = await gateway.patch({ remove: ['b'], conversationWith: OTHER });
    t.strictSame(unchanged.json.conversations[0].tags, [], 'the answer says so');
  });
}

t.test('the tags that were written stand in where CometChat does not repeat them', async (t) => {
  const { patch, sandbox } = await startGateway(t);
  sandbox.fault({ method: 'PUT', status: 200, body: { data: [WITHOUT_TAGS] } });
  const answer = await patch({ add: ['b'], conversationWith: OTHER });
  t.strictSame(answer.json.conversations[0].tags, ['b']);
});

t.test(
  'without conversationWith it is the caller’s own uid, which CometChat knows no conversation of',
  async (t) => {
    const { patch, sandbox } = await startGateway(t);
    t.equal((await patch({ add: ['b'] })).json.code, 'cometchat-reply-invalid');
    t.match(sandbox.calls, [{ method: 'GET', path: `/v3/users/${ME}/conversation` }]);
  },
);

t.test('a read that fails for now is made again, and so is the write', async (t) => {
  const gateway = await startGateway(t);
  gateway.sandbox.fault({ method: 'GET', status: 503 }, { method: 'PUT', reset: 'before-headers' });
  const answer = await gateway.patch({ add: ['b'], conversationWith: OTHER });
  t.strictSame(answer.json.conversations[0].tags, ['b']);
  t.strictSame(methods(gateway), ['GET', 'GET', 'PUT', 'GET'], 'after doubt the tags are read again');
  t.match(gateway.requests(), [{ retried: ['503', 'ECONNRESET'] }]);
});

const IN_BOTH = 'must not be in add as well';
const MANY = Array.from({ length: 26 }, (_, number) => `t${number}`);

const BAD: readonly [what: string, body: object, errors: object[]][] = [
  ['neither', {}, [{ pointer: '/add', detail: 'must have a tag, or remove must have one' }]],
  ['both empty', { add: [], remove: [] }, [{ pointer: '/add' }]],
  ['a tag in both', { add: ['b', 'a'], remove: ['a'] }, [{ pointer: '/remove/0', detail: IN_BOTH }]],
  ['a tag in both, after NFC', { add: ['\u00e9'], remove: ['x', 'e\u0301'] }, [{ pointer: '/remove/1' }]],
  [
    '26 to add',
    { add: MANY },
    [{ pointer: '/add', detail: 'must have at most 25 different tags, and has 26' }],
  ],
  ['26 to remove', { remove: MANY }, [{ pointer: '/remove' }]],
  ['a blank tag', { add: [' '] }, [{ pointer: '/add/0' }]],
  ['a lone surrogate', { remove: ['\ud800'] }, [{ pointer: '/remove/0' }]],
  ['tags', { tags: ['a'], add: ['b'] }, [{ pointer: '/tags', detail: 'is not a field of this request' }]],
  ['text', { add: 'a' }, [{ pointer: '/add', detail: 'must be an array' }]],
  ['null', { add: ['a'], remove: null }, [{ pointer: '/remove', detail: 'must be an array' }]],
  ['a group without its id', { add: ['a'], conversationType: 'group' }, [{ pointer: '/conversationWith' }]],
];

t.test('a change that breaks a rule is refused, with the field and the rule', async (t) => {
  const { patch, refused } = await startGateway(t);
  for (const [what, body, errors] of BAD) {
    await t.test(what, async (t) => {
      const answer = await refused(t, () => patch(body), 400, 'body-invalid');
      t.match(answer.json.errors, errors);
      t.equal(answer.json.errors.length, errors.length);
    });
  }
});
