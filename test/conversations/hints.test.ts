import t from 'tap';
import { PROBLEMS, type ProblemCode } from '../../src/base/problems.ts';
import { startGateway } from '../helpers/gateway.ts';
import { ME, OTHER } from '../helpers/tokens.ts';

const NOBODY = /conversationWith was left out, which means the uid that the session maps to/;
const NO_TYPE =
  /If conversationWith is the guid of a group, set conversationType to "group"; left out, it means "user"/;
const A_GROUP = /If conversationWith is the uid of a user, leave conversationType out/;

/** What CometChat says of a request, and what the client is told beside the problem's own detail. */
const CASES: [
  code: string,
  naming: Record<string, string>,
  problem: ProblemCode,
  hint: RegExp | undefined,
][] = [
  ['ERR_UID_NOT_FOUND', { conversationWith: 'x' }, 'user-not-found', NO_TYPE],
  ['ERR_UID_NOT_FOUND', { conversationWith: 'x', conversationType: 'user' }, 'user-not-found', NO_TYPE],
  ['ERR_UID_NOT_FOUND', {}, 'user-not-found', NOBODY],
  ['ERR_UID_NOT_FOUND', { conversationType: 'user' }, 'user-not-found', NOBODY],
  ['ERR_UID_NOT_FOUND', { conversationWith: 'x', conversationType: 'group' }, 'user-not-found', undefined],
  ['ERR_CONVERSATION_NOT_ACCESSIBLE', {}, 'conversation-not-found', NOBODY],
  ['ERR_CONVERSATION_NOT_ACCESSIBLE', { conversationType: 'user' }, 'conversation-not-found', NOBODY],
  ['ERR_CONVERSATION_NOT_ACCESSIBLE', { conversationWith: 'x' }, 'conversation-not-found', NO_TYPE],
  ...['user', 'group'].map((conversationType): (typeof CASES)[number] => [
    'ERR_CONVERSATION_NOT_ACCESSIBLE',
    { conversationWith: 'x', conversationType },
    'conversation-not-found',
    undefined,
  ]),
  ['ERR_GUID_NOT_FOUND', { conversationWith: 'x', conversationType: 'group' }, 'group-not-found', A_GROUP],
  ['ERR_GUID_NOT_FOUND', { conversationWith: 'x' }, 'group-not-found', undefined],
  ['ERR_NOT_A_MEMBER', { conversationWith: 'x', conversationType: 'group' }, 'not-a-member', undefined],
  ['ERR_BAD_REQUEST', {}, 'cometchat-rejected', undefined],
];

t.test('what a request may have left out or mixed up is told by its own fields alone', async (t) => {
  const { getTags, put, sandbox } = await startGateway(t);
  for (const [code, naming, problem, hint] of CASES) {
    sandbox.fault({ status: 404, body: { error: { code, message: `private ${OTHER}` } }, times: 2 });
    for (const { json, text } of [await put({ tags: [], ...naming }), await getTags(naming)]) {
      const { detail } = PROBLEMS[problem];
      t.equal(json.code, problem);
      if (hint) t.match(json.detail, new RegExp(`^${detail} .*${hint.source}`), JSON.stringify(naming));
      else t.equal(json.detail, detail, JSON.stringify(naming));
      t.notMatch(text, new RegExp(`private|${OTHER}|${ME}`));
    }
  }
});

t.test('a guid that is sent as a user, and a uid as a group, get the hint that mends them', async (t) => {
  const { put } = await startGateway(t);
  const asUser = await put({ tags: [], conversationWith: 'project-group' });
  t.match(asUser.json, { code: 'user-not-found', detail: NO_TYPE });
  const group = await put({ tags: [], conversationWith: 'project-group', conversationType: 'group' });
  t.equal(group.status, 200);
  const asGroup = await put({ tags: [], conversationWith: OTHER, conversationType: 'group' });
  t.match(asGroup.json, { code: 'group-not-found', detail: A_GROUP });
});
