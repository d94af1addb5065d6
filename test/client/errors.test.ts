import t from 'tap';
import { createClient, GatewayError, type GatewayErrorCode } from '../../client/src/index.ts';
import { PROBLEMS } from '../../src/base/problems.ts';
import { freePort } from '../helpers/ports.ts';
import { problem, reasonOf, startClient, TARGET } from './front.ts';

t.test('an error has the code, the status and the whole problem of the gateway', async (t) => {
  const { chat, front } = await startClient(t);
  const error = (await reasonOf(chat.tags.set(TARGET, ['a', 'b\u0007']))) as GatewayError;
  t.ok(error instanceof GatewayError && error instanceof Error);
  t.match(error, {
    name: 'GatewayError',
    message: 'The body breaks a rule of this API (body-invalid)',
    code: 'body-invalid',
    status: 400,
    problem: { errors: [{ pointer: '/tags/1', detail: /control characters/ }] },
    requestId: /^[\w-]{36}$/,
    retryAfterSeconds: undefined,
  });
  t.notOk('cause' in error);
  t.equal(error.requestId, error.problem?.requestId);
  t.equal(front.seen.length, 1);
});

t.test('each code of the gateway is the code of the error', async (t) => {
  const codes = Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[];
  const replies = codes.map((code) => problem(code, { 'retry-after': '99' }));
  const { chat } = await startClient(t, { replies, token: () => 'a' });
  for (const code of codes) {
    const error = await reasonOf(chat.tags.get(TARGET));
    // Its own wait would be beyond the timeout; what is not repeated is thrown all the same.
    t.match(error, { code, status: PROBLEMS[code].status, requestId: 'a-request', retryAfterSeconds: 99 });
  }
});

t.test('a switch over the codes can be exhaustive', async (t) => {
  const described = (code: GatewayErrorCode): string => {
    if (code === 'unreachable' || code === 'timeout' || code === 'unknown-reply') return code;
    return PROBLEMS[code].title;
  };
  t.equal(described('superseded'), PROBLEMS.superseded.title);
});

t.test('a code of a newer gateway is passed on', async (t) => {
  const { body, ...reply } = problem('superseded');
  const { chat } = await startClient(t, {
    replies: [{ ...reply, status: 410, body: body.replaceAll('superseded', 'conversation-closed') }],
  });
  const error = await reasonOf(chat.tags.get(TARGET));
  t.match(error, { code: 'conversation-closed', status: 410, problem: { code: 'conversation-closed' } });
});

t.test('a gateway that cannot be reached is an error with its cause', async (t) => {
  const chat = createClient({ baseUrl: `http://127.0.0.1:${await freePort()}`, token: () => 'a' });
  const error = await reasonOf(chat.tags.get(TARGET));
  t.match(error, { code: 'unreachable', status: undefined, problem: undefined, requestId: undefined });
  t.match((error as GatewayError).cause, { message: 'fetch failed' });
});

const ODD: readonly [
  name: string,
  reply: { status: number; body?: string; headers?: Record<string, string> },
][] = [
  ['a page in HTML', { status: 200, body: '<!doctype html><title>Sign in</title>' }],
  ['nothing', { status: 204 }],
  ['null', { status: 200, body: 'null' }],
  ['JSON of something else', { status: 200, body: '{"conversations":[]}' }],
  ['a list that is none', { status: 200, body: '{"conversations":"abc","pagination":{}}' }],
  ['a list of nothing', { status: 200, body: '{"conversations":[null],"pagination":{}}' }],
  [
    'a problem without a code',
    { status: 400, body: '{"type":"urn:cometchat-gateway:problem:body-invalid"}' },
  ],
  ['a problem of something else', { status: 400, body: '{"type":"about:blank","code":"body-invalid"}' }],
  [
    'an error in HTML',
    { status: 404, body: '<h1>Not found</h1>', headers: { 'x-request-id': 'of-the-proxy' } },
  ],
];
t.test('a page without pagination is an unknown reply', async (t) => {
  for (const rest of ['', ',"pagination":1']) {
    const { chat } = await startClient(t, {
      replies: [{ status: 200, body: `{"conversations":[{}]${rest}}` }],
    });
    t.match(await reasonOf(chat.conversations.page()), { code: 'unknown-reply', status: 200 });
  }
});

for (const [name, reply] of ODD) {
  t.test(`${name} is an unknown reply, of a list and of a conversation`, async (t) => {
    const { chat, front } = await startClient(t, { replies: [reply, reply] });
    for (const ask of [() => chat.tags.get(TARGET), () => chat.conversations.page()]) {
      t.match(await reasonOf(ask()), {
        code: 'unknown-reply',
        message: `An unknown reply with status ${reply.status}`,
        status: reply.status,
        problem: undefined,
        requestId: reply.headers?.['x-request-id'],
      });
    }
    t.equal(front.seen.length, 2, 'and is not asked for again');
  });
}
