import t from 'tap';
import type { Claims } from '../../src/base/caller.ts';
import { ProblemError } from '../../src/base/problem-error.ts';
import { identityMapper, parseTemplate } from '../../src/identity/identity.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer, ME, OTHER } from '../helpers/tokens.ts';

/** The uid that a template makes of claims, or the code and detail of the problem. */
function map(template: string, claims: Claims, lowercase = false): string {
  const parsed = parseTemplate(template);
  try {
    return identityMapper({ uid: parsed, onBehalfOf: parsed, lowercase })(claims).uid;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return `${error.code}: ${error.body('').detail}`;
  }
}

t.test('a template fills in claims, by path or by their whole name', async (t) => {
  t.equal(map('{sub}', { sub: 'alice-1' }), 'alice-1');
  t.equal(map('medicare_user_{sub}', { sub: '00f3' }), 'medicare_user_00f3');
  t.equal(map('{act.sub}', { act: { sub: 'agent' } }), 'agent');
  t.equal(map('{https://app.example/uid}', { 'https://app.example/uid': 'u1' }), 'u1');
  t.equal(map('{tenant}_{sub}-x', { tenant: 't1', sub: 'a_b' }), 't1_a_b-x');
  t.equal(map('{sub}', { sub: 42 }), '42');
});

t.test('uid and onBehalfOf have a template each', async (t) => {
  const mapper = identityMapper({
    uid: parseTemplate('{sub}'),
    onBehalfOf: parseTemplate('{act.sub}'),
    lowercase: false,
  });
  t.strictSame(mapper({ sub: 'a', act: { sub: 'b' } }), { uid: 'a', onBehalfOf: 'b' });
});

t.test('a claim that is missing, empty or no text maps to nobody', async (t) => {
  for (const sub of [undefined, null, '', true, ['a'], { a: 1 }, 1.5, 2 ** 53, Number.NaN]) {
    t.match(map('{sub}', { sub }), /^identity-unmapped: The session has no claim "sub"/);
  }
});

t.test('what every object has is no claim', async (t) => {
  for (const name of ['__proto__', 'constructor', 'constructor.name', 'toString', 'sub.length']) {
    t.match(map(`{${name}}`, { sub: 'a' }), /^identity-unmapped/);
    t.match(map(`{${name}}`, { sub: 'a' }, true), /^identity-unmapped/);
  }
});

t.test('only legal CometChat ids come out', async (t) => {
  for (const sub of ['a b', 'a/b', '../x', 'a.b', 'a@b', 'é', 'a\r\nb', 'a\n', '\u0430', 'x'.repeat(101)]) {
    t.match(map('{sub}', { sub }), /^identity-unmapped: A CometChat uid has/, JSON.stringify(sub));
  }
  t.equal(map('{sub}', { sub: 'x'.repeat(100) }), 'x'.repeat(100));
});

t.test('upper case is refused unless ids are said to be case-insensitive', async (t) => {
  t.match(map('{sub}', { sub: 'Alice' }), /^identity-unmapped/);
  t.equal(map('{sub}', { sub: 'Alice' }, true), 'alice');
});

t.test('a letter that only lower-cases into a legal one is refused all the same', async (t) => {
  t.match(map('{sub}', { sub: '\u212Aelvin' }, true), /^identity-unmapped/);
});

t.test('two claims never make one user of two', async (t) => {
  t.match(map('{org}_{sub}', { org: 'a_b', sub: 'c' }), /^identity-unmapped: The claim "org" holds the text/);
  t.equal(map('{org}_{sub}', { org: 'a', sub: 'b_c' }), 'a_b_c');
  // "a-" + "--" + "b" and "a" + "--" + "-b" are the same text.
  t.match(map('{org}--{sub}', { org: 'a-', sub: 'b' }), /^identity-unmapped/);
  t.equal(map('{org}--{sub}', { org: 'a', sub: '-b' }), 'a---b');
  // One in upper case is the other once it is folded.
  t.match(map('{org}-eu-{sub}', { org: 'acme-EU-x', sub: 'bob' }, true), /^identity-unmapped/);
  t.equal(map('{org}-eu-{sub}', { org: 'acme', sub: 'X-eu-bob' }, true), 'acme-eu-x-eu-bob');
});

t.test('who acts comes from the session, whatever else the client says', async (t) => {
  const { put, served, sandbox } = await startGateway(t);
  const claims = {
    onbehalfof: 'cometchat-uid-1',
    apikey: 'stolen',
    'x-forwarded-for': '10.0.0.1',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-user': 'admin',
    forwarded: 'for=10.0.0.1',
    'x-real-ip': '10.0.0.1',
    'x-original-url': '/v3/users',
    'x-http-method-override': 'DELETE',
    'x-request-id': 'mine',
    traceparent: '00-1-2-3',
  };
  const answer = await served(t, () => put({ tags: ['a'], conversationWith: OTHER }, claims));
  t.not(answer.headers.get('x-request-id'), 'mine');
  const [call] = sandbox.calls;
  t.equal(call?.path, `/v3/users/${OTHER}/conversation`);
  t.equal(call?.headers.onbehalfof, ME);
  const sent = Object.keys(call?.headers ?? {});
  t.strictSame(sent.filter((name) => name in claims).sort(), ['apikey', 'onbehalfof']);
  t.not(call?.headers.apikey, 'stolen');
});

t.test('a session that maps to nobody makes no call', async (t) => {
  const { put, refused } = await startGateway(t);
  for (const sub of ['Alice', undefined]) {
    const headers = await bearer({ sub });
    await refused(t, () => put({ tags: [] }, headers), 403, 'identity-unmapped');
  }
});
