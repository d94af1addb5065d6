import t from 'tap';
import { DOCUMENTED_REPLY, World } from '../../sandbox/world.ts';
import { PROBLEMS } from '../../src/base/problems.ts';
import { invalidReply } from '../cometchat/invalid-reply.ts';
import { startGateway } from '../helpers/gateway.ts';
import { ME, OTHER } from '../helpers/tokens.ts';

const [group = {}] = DOCUMENTED_REPLY.data;
const { data: user } = new World().update(ME, 'users', OTHER, { tags: ['archived', 'vip'] }) as {
  data: Record<string, unknown>;
};
const meta = { pagination: { total: 3, count: 2, per_page: 2, current_page: 1, total_pages: 2 } };

t.test('the caller’s conversations are listed, slim, with their tags', async (t) => {
  const { list, served, sandbox } = await startGateway(t);
  sandbox.fault({ status: 200, body: { data: [user, { ...group, more: 'private' }], meta } });
  const { json } = await served(t, () => list({ perPage: '2' }));
  t.strictSame(json, {
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
      {
        conversationId: 'group_project-group',
        conversationType: 'group',
        tags: [],
        unreadMessageCount: 0,
        createdAt: 1630071782,
        updatedAt: 1630481413,
        conversationWith: {
          guid: 'project-group',
          name: 'Project Group1',
          icon: 'https://assets.cometchat.io/sampleapp/v2/groups/cometchat-guid-1.webp',
        },
        lastMessage: {
          id: '50',
          sender: ME,
          category: 'action',
          type: 'groupMember',
          sentAt: 1630305562,
        },
      },
    ],
    pagination: { page: 1, perPage: 2, hasMore: true },
  });
});

const LISTS: [query: string, asked: string][] = [
  ['', 'perPage=50&page=1'],
  ['page=2147483647&perPage=100', 'perPage=100&page=2147483647'],
  ['tags=vip', 'perPage=50&page=1&tags=vip'],
  // A comma always separates.
  ['tags=vip,archived', 'perPage=50&page=1&tags=vip,archived'],
  ['tags=vip%2Carchived', 'perPage=50&page=1&tags=vip,archived'],
  // The same rules as for a tag that is set.
  ['tags=+vip+,a+b,%09vip', 'perPage=50&page=1&tags=vip,a%20b'],
  ['tags=cafe%CC%81,caf%C3%A9', 'perPage=50&page=1&tags=caf%C3%A9'],
  ['tags=a%26b%3Dc,d%23e,100%25', 'perPage=50&page=1&tags=a%26b%3Dc,d%23e,100%25'],
  ['conversationType=group&unread=true', 'perPage=50&page=1&conversationType=group&unread=true'],
  ['t%61gs=a&&page=3&', 'perPage=50&page=3&tags=a'],
];

t.test('what CometChat is asked for is what the query says, in the caller’s name', async (t) => {
  const { list, served, sandbox } = await startGateway(t);
  for (const [query, asked] of LISTS) {
    sandbox.fault({ status: 200, body: { data: [] } });
    await served(t, () => list(query));
    t.match(
      sandbox.calls.at(-1),
      { method: 'GET', path: `/v3/conversations?withTags=true&${asked}`, headers: { onbehalfof: ME } },
      query,
    );
  }
});

t.test('25 different tags of 100 units pass, and 26 of which two are the same', async (t) => {
  const { list, served, sandbox } = await startGateway(t);
  const tags = Array.from({ length: 25 }, (_, n) => `${n}`.padEnd(100, 'x'));
  for (const query of [{ tags: tags.join() }, { tags: [...tags, tags[0]].join() }]) {
    sandbox.fault({ status: 200, body: { data: [] } });
    await served(t, () => list(query));
    t.ok(sandbox.calls.at(-1)?.path.endsWith(`&tags=${tags.join()}`));
  }
});

t.test('where CometChat does not tell whether there is more, a full page says so', async (t) => {
  const { list, sandbox } = await startGateway(t);
  for (const [length, hasMore] of [
    [1, false],
    [2, true],
  ] as const) {
    sandbox.fault({ status: 200, body: { data: Array(length).fill(user) } });
    const { json } = await list('perPage=2&page=7');
    t.match(json, { conversations: { length }, pagination: { page: 7, perPage: 2, hasMore } });
  }
});

t.test('items without ids are dropped, odd parts left out, and the log and the metrics say so', async (t) => {
  const { list, meets, sandbox } = await startGateway(t);
  const odd = { ...user, tags: 'private', updatedAt: 'private' };
  sandbox.fault({ status: 200, body: { data: [{}, user, { private: 'private' }, odd] } });
  const { json } = await meets(
    t,
    {
      answer: 200,
      calls: 1,
      line: { level: 'info', leftOut: ['/updatedAt', '/tags'], dropped: 2 },
      moved: {
        'attempts ok': 1,
        'reply_parts_left_out /updatedAt': 1,
        'reply_parts_left_out /tags': 1,
        reply_items_dropped: 2,
      },
    },
    () => list(),
  );
  t.equal(json.conversations.length, 2);
  t.notOk('tags' in json.conversations[1]);
  sandbox.fault({ status: 200, body: { data: [{}] } });
  t.match(await list(), { status: 200, json: { conversations: [], pagination: { hasMore: false } } });
});

t.test('a reply without a list is a 502', async (t) => {
  const { list, meets, sandbox } = await startGateway(t);
  sandbox.fault({ status: 200, body: { data: user } });
  await meets(t, invalidReply('reply_invalid', { mismatch: '/data: Expected array' }), () => list());
});

t.test('a reply may have 20 KiB for each conversation, 256 KiB at least, and not a byte more', async (t) => {
  const { list, meets, served, sandbox } = await startGateway(t);
  const body = JSON.stringify({ data: [] });
  for (const [perPage, kibibytes] of [
    [1, 256],
    [12, 256],
    [13, 260],
    [100, 2000],
  ] as const) {
    const limit = kibibytes * 1024;
    sandbox.fault({ body: body.padEnd(limit) }, { body: body.padEnd(limit + 1) });
    const send = () => list({ perPage: `${perPage}` });
    await served(t, send);
    await meets(t, invalidReply('reply_too_large'), send);
  }
});

t.test('a problem has no hint at a conversationWith, which a list does not take', async (t) => {
  const { list, sandbox } = await startGateway(t);
  for (const [code, problem] of [
    ['ERR_UID_NOT_FOUND', 'user-not-found'],
    ['ERR_CONVERSATION_NOT_ACCESSIBLE', 'conversation-not-found'],
  ] as const) {
    sandbox.fault({ status: 404, body: { error: { code, message: 'private' } } });
    t.match((await list()).json, { code: problem, detail: PROBLEMS[problem].detail });
  }
});

t.test('nothing of the query is in the log, nor in the labels of the metrics', async (t) => {
  const { app, list, lines, requests, sandbox } = await startGateway(t);
  sandbox.fault({ status: 503 }, { status: 200, body: { data: [user] } });
  await list('tags=private-tag&page=77');
  await list('tags=private-tag&private-name=1');
  const fields = { method: 'GET', route: '/me/conversations', onBehalfOf: ME };
  t.match(requests(), [
    { ...fields, status: 200, cometchat: { status: 200 }, retried: ['503'] },
    { ...fields, status: 400, problem: 'query-invalid', cometchat: undefined },
  ]);
  const metrics = await app.metrics.registry.metrics();
  t.match(metrics, 'url_template="/conversations"');
  t.notMatch([...lines, metrics].join(), /private-|page=|\b77\b|withTags/);
});

t.test('a list counts once for the limit of its user', async (t) => {
  const { list, sandbox } = await startGateway(t, { RATE_LIMIT_PER_MINUTE: '2' });
  sandbox.fault({ status: 200, body: { data: [] }, times: 2 });
  const left = [];
  for (const query of ['', 'page=0', '']) {
    const { status, headers } = await list(query);
    left.push([status, headers.get('ratelimit')?.replace(/;t=.*/, '')]);
  }
  t.strictSame(left, [
    [200, '"user";r=1'],
    [400, '"user";r=0'],
    [429, '"user";r=0'],
  ]);
});
