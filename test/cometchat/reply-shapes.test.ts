import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { readConversations } from '../../src/cometchat/conversation.ts';
import { startGateway } from '../helpers/gateway.ts';
import { invalidReply } from './invalid-reply.ts';

const [example = {}] = DOCUMENTED_REPLY.data;
/** The documented conversation with some fields changed, or left out by `undefined`. */
const like = (changes: Record<string, unknown>) => JSON.parse(JSON.stringify({ ...example, ...changes }));

/** The log says where the reply first differs, and what was expected. */
const differs = (mismatch: string) =>
  invalidReply('reply_invalid', { cometchat: { status: 200, code: undefined }, mismatch });

t.test('one conversation or an array of up to a thousand is understood', async (t) => {
  t.match(readConversations({ data: example }), { value: { length: 1 } });
  for (const length of [0, 1, 3, 1000]) {
    t.match(readConversations({ data: Array(length).fill(example) }), { value: { length } });
  }
  t.match(readConversations({ data: Array(1001).fill(example) }), { mismatch: /^\/data: / });
});

t.test('of several conversations one without its ids is dropped and counted', async (t) => {
  const { put, sandbox, counts, requests } = await startGateway(t);
  const good = like({ tags: undefined });
  for (const odd of [
    {},
    null,
    1,
    'x',
    [],
    like({ conversationId: undefined }),
    like({ conversationWith: null }),
  ]) {
    sandbox.fault({ body: { data: [good, odd] } }, { body: { data: [odd, good, odd] } });
    const before = (await counts()).reply_items_dropped ?? 0;
    for (const dropped of [1, 2]) {
      const { status, json } = await put({ tags: ['mine'] });
      t.equal(status, 200);
      t.match(json.conversations, { length: 1 });
      t.notOk('tags' in json.conversations[0], 'nobody knows whether it is the one that the tags belong to');
      t.match(requests().at(-1), { dropped });
    }
    t.equal((await counts()).reply_items_dropped, before + 3);
    t.match(readConversations({ data: [odd, odd] }), { mismatch: /^\/data\/0/ });
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
  for (const changes of taken) {
    t.match(readConversations({ data: like(changes) }), { value: [{}], leftOut: undefined });
  }
});

t.test('a part in an odd form is left out, whole, and all others stay', async (t) => {
  const message = { id: '1', sender: 'u', category: 'message', type: 'text', sentAt: 1 };
  const cases: [part: string, values: unknown[]][] = [
    ['unreadMessageCount', ['many', '', '-1', '1.5', -1, 1.5, 1e300, true, [], {}]],
    ['createdAt', ['1630071782', '2021-08-27T13:43:02Z', -1, 1.5, 1630071782000, 1e300, true, [], {}]],
    ['updatedAt', ['', false, [1], { $date: 1 }]],
    ['tags', ['a', 1, {}, { 0: 'a' }, ['a', 1], [null], [['a']], Array(1001).fill('a')]],
    ['lastMessage', [[], {}, 'text', 0, false, [message], { ...message, id: null }]],
    [
      'lastMessage',
      [
        { ...message, sentAt: '1' },
        { ...message, sender: { uid: 'u' } },
      ],
    ],
    ['lastMessage', Object.keys(message).map((name) => ({ ...message, [name]: undefined }))],
  ];
  const whole = like({ tags: ['mine'], updatedAt: 2, unreadMessageCount: 3 });
  for (const [part, values] of cases) {
    for (const odd of values) {
      const { [part]: _, ...rest } = whole;
      const data = JSON.parse(JSON.stringify({ ...whole, [part]: odd }));
      t.strictSame(readConversations({ data }), { value: [rest], leftOut: [`/${part}`] }, `${part} ${odd}`);
    }
  }
  const peers = {
    user: { uid: 'u', name: 'U', avatar: 'https://assets.example/u' },
    group: { guid: 'g', name: 'G', icon: 'https://assets.example/g' },
  };
  for (const [conversationType, conversationWith] of Object.entries(peers)) {
    const good = { ...whole, conversationType, conversationWith };
    t.strictSame(readConversations({ data: good }), { value: [good] });
    for (const part of Object.keys(conversationWith).slice(1)) {
      for (const odd of [1, false, [], {}, { url: 'u' }]) {
        const data = { ...good, conversationWith: { ...conversationWith, [part]: odd } };
        const rest = Object.entries(conversationWith).filter(([name]) => name !== part);
        t.strictSame(readConversations({ data }), {
          value: [{ ...good, conversationWith: Object.fromEntries(rest) }],
          leftOut: [`/conversationWith/${part}`],
        });
      }
    }
  }
});

t.test('a conversation is whole without any of its parts', async (t) => {
  const bare = { conversationId: 'c', conversationType: 'user', conversationWith: { uid: 'u' } };
  t.strictSame(readConversations({ data: bare }), { value: [bare] });
  const odd = { createdAt: '', updatedAt: '', unreadMessageCount: '', tags: '', lastMessage: '' };
  t.match(
    readConversations({ data: { ...bare, ...odd, conversationWith: { uid: 'u', name: 1, avatar: 1 } } }),
    {
      value: [{ ...bare, ...Object.fromEntries(Object.keys(odd).map((name) => [name, undefined])) }],
      leftOut: { length: 7 },
    },
  );
});

t.test('the parts of several conversations are named once', async (t) => {
  const data = [like({ tags: 1 }), like({}), like({ tags: 2, updatedAt: '' })];
  t.match(readConversations({ data }), { value: { length: 3 }, leftOut: ['/tags', '/updatedAt'] });
});

t.test(
  'what was left out is in the log and the metrics, without values, and the write is answered',
  async (t) => {
    const { meets, sandbox, lines } = await startGateway(t);
    const expected = (...parts: string[]) => ({
      answer: 200 as const,
      calls: 1,
      line: { level: 'info', status: 200, leftOut: parts, mismatch: undefined },
      moved: {
        'attempts ok': 1,
        ...Object.fromEntries(parts.map((part) => [`reply_parts_left_out ${part}`, 1])),
      },
    });
    sandbox.play('field-odd');
    const { json } = await meets(t, expected('/unreadMessageCount', '/updatedAt', '/tags', '/lastMessage'));
    t.strictSame(json.conversations, [
      {
        conversationId: 'group_cometchat-guid-1',
        conversationType: 'group',
        tags: ['vip'],
        createdAt: 1630071782,
        conversationWith: {
          guid: 'cometchat-guid-1',
          name: 'Hiking Group',
          icon: 'https://assets.cometchat.io/sampleapp/v2/groups/cometchat-guid-1.webp',
        },
      },
    ]);
    sandbox.fault({ body: { data: [like({ createdAt: 'private' }), like({ createdAt: 'private' })] } });
    await meets(t, expected('/createdAt'));
    sandbox.fault({ body: { data: like({ updatedAt: undefined, lastMessage: null, tags: null }) } });
    await meets(t, { ...expected(), line: { status: 200, leftOut: undefined } });
    t.notMatch(lines.join(), /private|Hiking|nine/);
  },
);

t.test('a reply that is no JSON, or does not say that it is, is a 502', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  for (const name of ['broken-json', 'html', 'wrong-content-type', 'bom'] satisfies Name[]) {
    t.comment(name);
    sandbox.play(name);
    await meets(t, differs('no JSON'));
  }
  for (const body of ['', '{"data":']) {
    sandbox.fault({ body });
    await meets(t, differs('no JSON'));
  }
  for (const type of ['text/html', 'application/jsonp', 'application/problem+xml']) {
    t.comment(type);
    sandbox.fault({ headers: { 'content-type': type }, body: DOCUMENTED_REPLY });
    await meets(t, differs('no JSON'));
  }
});

t.test('a reply that is no UTF-8 is a 502', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  const body = JSON.stringify(DOCUMENTED_REPLY).replaceAll('Project', 'Projet caf\xe9');
  // Sent as latin1.
  sandbox.fault({ raw: [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`] });
  await meets(t, differs('no JSON'));
});

t.test('a reply is read as JSON where it says that it is, or says nothing', async (t) => {
  const { served, sandbox } = await startGateway(t);
  for (const type of ['application/json;charset=utf-8', 'application/hal+json', 'Application/JSON']) {
    t.comment(type);
    sandbox.fault({ headers: { 'content-type': type }, body: DOCUMENTED_REPLY });
    await served(t);
  }
  const body = JSON.stringify(DOCUMENTED_REPLY);
  sandbox.fault({ raw: [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`] });
  await served(t);
});

t.test('a reply of another shape is a 502, and the log says where it differs, without values', async (t) => {
  const user = { conversationType: 'user', conversationWith: { uid: 'u', name: 'private' } };
  const conversations: [Record<string, unknown>, string][] = [
    [{ conversationId: undefined }, '/conversationId: Expected required property'],
    [{ conversationId: 5 }, '/conversationId: Expected string'],
    [{ conversationType: 'private' }, "/conversationType: Expected 'user'"],
    [{ conversationType: 'user' }, '/conversationWith/uid: Expected required property'],
    [{ ...user, conversationWith: { uid: 7 } }, '/conversationWith/uid: Expected string'],
    [{ ...user, conversationWith: { uid: null } }, '/conversationWith/uid: Expected string'],
    [{ ...user, conversationWith: { guid: 'private' } }, '/conversationWith/uid: Expected required property'],
    [{ ...user, conversationId: '' }, '/conversationId: Expected string length greater or equal to 1'],
    [{ conversationType: undefined }, '/conversationType: Expected required property'],
    [{ conversationWith: undefined }, '/conversationWith: Expected required property'],
    [{ conversationWith: null }, '/conversationWith: Expected object'],
    [{ conversationWith: [] }, '/conversationWith: Expected object'],
    [{ conversationWith: 'private' }, '/conversationWith: Expected object'],
    [{ conversationWith: {} }, '/conversationWith/guid: Expected required property'],
    [{ conversationWith: { guid: '' } }, '/conversationWith/guid: Expected string length'],
    [{ tags: 'private', conversationWith: { guid: '' } }, '/conversationWith/guid: Expected string length'],
  ];
  const cases: [unknown, string][] = [
    ['null', ': Expected object'],
    [[], ': Expected object'],
    [{}, '/data: Expected required property'],
    [{ data: null }, '/data: Expected union value'],
    [{ data: 'private' }, '/data: Expected union value'],
    [{ data: [[]] }, '/data/0: Expected object'],
    [{ data: { private: 'private' } }, '/data/conversationId: Expected required property'],
    [{ data: [like({ conversationId: null })] }, '/data/0/conversationId: Expected string'],
    ...conversations.map(([changes, at]): [unknown, string] => [{ data: like(changes) }, `/data${at}`]),
  ];
  const { meets, sandbox, lines } = await startGateway(t);
  for (const [body, mismatch] of cases) {
    sandbox.fault({ body });
    await meets(t, differs(mismatch));
  }
  sandbox.play('field-missing');
  await meets(t, differs('/data/conversationId: Expected required property'));
  sandbox.play('field-wrong-type');
  await meets(t, differs('/data/conversationId: Expected string'));
  t.notMatch(lines.join(), /private|project-group|Project|Hiking|nine/);
});

t.test('a field that is new does no harm, and does not come through', async (t) => {
  const { served, sandbox } = await startGateway(t);
  sandbox.play('field-extra');
  const answer = await served(t);
  t.notMatch(answer.text, 'unheardOf');
});
