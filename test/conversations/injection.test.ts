import t from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { bearer, ME, OTHER } from '../helpers/tokens.ts';

/** Would lead to another path, another header, or another user, if it got through. */
const HOSTILE_IDS = [
  '../users',
  '..',
  '.',
  '%2e%2e',
  '%2e%2e%2f',
  'a/b',
  'a\\b',
  'a%2fb',
  'a?b',
  'a#b',
  'a;b',
  'a\r\nonBehalfOf: admin',
  'a\nb',
  'a\u0000b',
  'a b',
  'Alice',
  '\u0430lice',
  'alice\u200b',
  '\u212aelvin',
  'ａ',
  'é',
  '',
  'x'.repeat(101),
];

t.test('a conversation is named by a legal id or not at all', async (t) => {
  const { put, refused } = await startGateway(t);
  for (const conversationWith of HOSTILE_IDS) {
    const answer = await refused(t, () => put({ tags: [], conversationWith }), 400, 'body-invalid');
    t.match(answer.json.errors, [{ pointer: '/conversationWith' }], JSON.stringify(conversationWith));
  }
});

t.test('a claim that is no legal id makes nobody', async (t) => {
  const { put, refused } = await startGateway(t, {
    UID_TEMPLATE: 'u_{sub}',
    ON_BEHALF_OF_TEMPLATE: '{act.sub}',
  });
  for (const id of HOSTILE_IDS) {
    for (const claims of [
      { sub: id, act: { sub: 'agent' } },
      { sub: 'alice', act: { sub: id } },
    ]) {
      const session = await bearer(claims);
      await refused(t, () => put({ tags: [] }, session), 403, 'identity-unmapped');
    }
  }
});

t.test('a tag is text and nothing else: it reaches CometChat as JSON, and no header', async (t) => {
  const { put, served, sandbox } = await startGateway(t);
  const tags = [
    '"},"onBehalfOf":"admin',
    'a: b',
    '{{constructor}}',
    '%0d%0aapikey: x',
    '<script>',
    '\u202egnp',
  ];
  for (const tag of tags) {
    await served(t, () => put({ tags: [tag], conversationWith: OTHER }));
    t.equal(sandbox.calls.at(-1)?.body, JSON.stringify({ tags: [tag] }));
    t.equal(sandbox.calls.at(-1)?.headers.onbehalfof, ME);
  }
});
