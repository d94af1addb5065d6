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
    [{ ...user, updatedAt: undefined }, '/updatedAt: Expected required property'],
    [{ unreadMessageCount: 'private' }, '/unreadMessageCount: Expected union value'],
    [{ unreadMessageCount: -1 }, '/unreadMessageCount: Expected union value'],
    [{ createdAt: 'private' }, '/createdAt: Expected integer'],
    [{ updatedAt: undefined }, '/updatedAt: Expected required property'],
    [{ tags: 'private' }, '/tags: Expected union value'],
    [{ tags: [1] }, '/tags: Expected union value'],
    [{ conversationWith: undefined }, '/conversationWith: Expected required property'],
    [{ conversationWith: { guid: 'private' } }, '/conversationWith/name: Expected required property'],
    [{ lastMessage: { id: 'private' } }, '/lastMessage: Expected union value'],
  ];
  const cases: [unknown, string][] = [
    ['null', ': Expected object'],
    [[], ': Expected object'],
    [{}, '/data: Expected required property'],
    [{ data: null }, '/data: Expected union value'],
    [{ data: 'private' }, '/data: Expected union value'],
    [{ data: [[]] }, '/data: Expected union value'],
    [{ data: { private: 'private' } }, '/data/conversationId: Expected required property'],
    [{ data: [example, like({ createdAt: 'private' })] }, '/data/1/createdAt: Expected integer'],
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
