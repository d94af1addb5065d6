import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { PROBLEMS, type ProblemCode } from '../../src/base/problems.ts';
import { BY_CODE, failedExchange, failedReply } from '../../src/cometchat/errors.ts';
import { isProblem } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { API_KEY, holdsNoSecret } from '../helpers/secrets.ts';
import { OTHER } from '../helpers/tokens.ts';

/** CometChat's codes, the status that each was seen with, and what a client must get. */
const EXPECTED: [string, number, ProblemCode][] = [
  ['ERR_BAD_REQUEST', 400, 'cometchat-rejected'],
  ['AUTH_ERR_EMPTY_APIKEY', 401, 'gateway-misconfigured'],
  ['AUTH_ERR_APIKEY_NOT_FOUND', 401, 'gateway-misconfigured'],
  ['AUTH_ERR_NO_ACCESS', 403, 'gateway-misconfigured'],
  ['AUTH_ERR_EMPTY_APPID', 400, 'gateway-misconfigured'],
  ['AUTH_ERR_INVALID_APPID', 400, 'gateway-misconfigured'],
  ['ERR_UID_NOT_FOUND', 404, 'user-not-found'],
  ['ERR_GUID_NOT_FOUND', 404, 'group-not-found'],
  ['ERR_CONVERSATION_NOT_ACCESSIBLE', 403, 'conversation-not-found'],
  ['ERR_CONVERSATION_NOT_ACCESSIBLE', 404, 'conversation-not-found'],
  ['ERR_NOT_A_MEMBER', 400, 'not-a-member'],
  ['ERR_GROUP_NOT_JOINED', 400, 'not-a-member'],
  ['ERR_BANNED_GROUPMEMBER', 400, 'not-a-member'],
  ['ERR_TOO_MANY_REQUESTS', 429, 'cometchat-busy'],
  ['ERR_PLAN_RESTRICTION', 402, 'gateway-misconfigured'],
  ['ERR_PLAN_QUOTA_RESTRICTION', 403, 'gateway-misconfigured'],
  ['ERR_SUBSCRIPTION_EXPIRED', 403, 'gateway-misconfigured'],
  ['ERR_API_NOT_FOUND', 404, 'gateway-misconfigured'],
  ['ERR_INVALID_API_VERSION', 404, 'gateway-misconfigured'],
  ['ERR_MISSION_FAILED', 500, 'cometchat-failed'],
  ['ERR_OPERATION_FAILED', 500, 'cometchat-failed'],
  ['ERR_EXCEPTION', 500, 'cometchat-failed'],
  ['ERR_BAD_ERROR_RESPONSE', 500, 'cometchat-failed'],
];

const errorBody = (code: string) => ({
  error: {
    code,
    message: `private ${API_KEY} of cometchat-uid-1`,
    devMessage: 'private',
    details: { tags: ['private'] },
  },
});

t.test('the table holds every documented code, and no other', async (t) => {
  t.strictSame(Object.keys(BY_CODE).sort(), [...new Set(EXPECTED.map(([code]) => code))].sort());
});

t.test('each code becomes its problem, and CometChat’s words stay inside', async (t) => {
  const clock = { now: Date.now() };
  const { put, sandbox, lines, requests } = await startGateway(t, {}, { seams: { now: () => clock.now } });
  for (const [code, status, problem] of EXPECTED) {
    // For every attempt of the call, and none of the next one's; in a new minute, since a 429 closes the one before.
    sandbox.forget();
    clock.now += 60_000;
    sandbox.fault({ status, body: errorBody(code), times: 3 });
    const answer = await put({ tags: [], conversationWith: OTHER });
    t.comment(code);
    isProblem(t, answer, PROBLEMS[problem].status, problem);
    t.notMatch(answer.text, /private|cometchat-uid-1/);
    holdsNoSecret(t, answer.text);
    t.match(requests().at(-1), { problem, cometchat: { status, code }, error: { type: code } });
  }
  t.notMatch(lines.join(), 'private');
  holdsNoSecret(t, lines.join());
});

t.test('a code decides before any status, even that of a success', async (t) => {
  t.equal(failedReply(500, 'ERR_UID_NOT_FOUND').problem, 'user-not-found');
  const { put, sandbox } = await startGateway(t);
  sandbox.fault({ status: 200, body: errorBody('ERR_GUID_NOT_FOUND') });
  isProblem(t, await put({ tags: [] }), 404, 'group-not-found');
});

t.test('without a code the status decides', async (t) => {
  const cases: [number, ProblemCode][] = [
    [400, 'cometchat-rejected'],
    [401, 'gateway-misconfigured'],
    [403, 'gateway-misconfigured'],
    [404, 'gateway-misconfigured'],
    [405, 'gateway-misconfigured'],
    [408, 'cometchat-failed'],
    [410, 'gateway-misconfigured'],
    [414, 'cometchat-rejected'],
    [422, 'cometchat-rejected'],
    [429, 'cometchat-busy'],
    [500, 'cometchat-failed'],
    [502, 'cometchat-failed'],
    [503, 'cometchat-failed'],
    [504, 'cometchat-failed'],
  ];
  const clock = { now: Date.now() };
  const { put, sandbox, lines } = await startGateway(t, {}, { seams: { now: () => clock.now } });
  for (const [status, problem] of cases) {
    for (const body of [
      '<html>private</html>',
      '',
      { error: 'private' },
      { error: { code: 7 } },
      errorBody('private'),
    ]) {
      sandbox.forget();
      clock.now += 60_000;
      sandbox.fault({ status, body, times: 3 });
      isProblem(t, await put({ tags: [] }), PROBLEMS[problem].status, problem);
    }
  }
  t.notMatch(lines.join(), 'private');
  t.notMatch(lines.join(), '"err"');
});

t.test('a code that nobody has documented goes by its status', async (t) => {
  const cases: [number, ProblemCode][] = [
    [200, 'cometchat-failed'],
    [400, 'cometchat-rejected'],
    [401, 'gateway-misconfigured'],
    [403, 'cometchat-rejected'],
    [404, 'cometchat-rejected'],
    [429, 'cometchat-busy'],
    [500, 'cometchat-failed'],
  ];
  for (const [status, problem] of cases) {
    t.equal(failedReply(status, 'ERR_NEW').problem, problem, String(status));
  }
  t.equal(failedReply(500, 'constructor').problem, 'cometchat-failed');
  t.equal(failedReply(403, 'AUTH_ERR_NEW').problem, 'gateway-misconfigured');
});

/** Of proxies, CDNs and load balancers that speak for a CometChat which has not got the request. */
const NOT_REACHED = [408, 425, 429, 503, 521, 522, 523, 525, 526, 529, 530, 599];
/** Of those that have passed the request on, and got no answer that they can use. */
const NO_ANSWER = [460, 499, 502, 504, 520, 524, 527, 598];

t.test('a status of a proxy says whether CometChat was reached', async (t) => {
  for (const status of NOT_REACHED) {
    const failure = failedReply(status, undefined);
    const problem = status === 429 ? 'cometchat-busy' : 'cometchat-failed';
    t.match(failure, { problem, isTransient: true, isInDoubt: false }, String(status));
  }
  for (const status of NO_ANSWER) {
    const failure = failedReply(status, undefined);
    t.match(failure, { problem: 'cometchat-failed', isTransient: true, isInDoubt: true }, String(status));
  }
  // What the operators must mend before it can be reached.
  for (const status of [407, 421, 463, 464, 494, 495, 496, 497, 511, 561]) {
    const failure = failedReply(status, undefined);
    t.match(failure, { problem: 'gateway-misconfigured', isTransient: false, isInDoubt: false }, `${status}`);
  }
});

t.test('a code of CometChat’s own decides before a proxy’s status', async (t) => {
  for (const status of [...NOT_REACHED, ...NO_ANSWER]) {
    t.match(failedReply(status, 'ERR_UID_NOT_FOUND'), { problem: 'user-not-found', isTransient: false });
    t.match(failedReply(status, 'ERR_NEW'), { isTransient: true, isInDoubt: false }, String(status));
  }
});

t.test('a page of a CDN’s is no answer of CometChat’s: another attempt follows', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  for (const name of ['origin-down', 'origin-timeout'] satisfies Name[]) {
    t.comment(name);
    sandbox.play(name);
    await meets(t, {
      answer: 200,
      calls: 2,
      line: { level: 'info', status: 200, retried: [/^52[14]$/] },
      moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
    });
  }
});

t.test('a failure is transient where another attempt may succeed', async (t) => {
  for (const code of [
    'EAI_AGAIN',
    'ECONNABORTED',
    'ECONNREFUSED',
    'ECONNRESET',
    'EHOSTUNREACH',
    'ENETDOWN',
    'ENETUNREACH',
    'ENOTFOUND',
    'EPIPE',
    'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
    'ETIMEDOUT',
    'proxy_refused',
    'timeout_connect',
    'timeout_request',
    'timeout_response',
  ]) {
    t.ok(failedExchange(code).isTransient, code);
  }
  for (const code of [
    'ERR_MISSION_FAILED',
    'ERR_OPERATION_FAILED',
    'ERR_EXCEPTION',
    'ERR_BAD_ERROR_RESPONSE',
  ]) {
    t.ok(failedReply(500, code).isTransient, code);
  }
  t.ok(failedReply(400, 'ERR_TOO_MANY_REQUESTS').isTransient, 'the code decides before the status');
  for (const code of ['ERR_NEW', 'AUTH_ERR_NEW']) {
    t.ok(failedReply(503, code).isTransient, 'and the status where the code is unknown');
  }
});

t.test('a failure is not transient where another attempt would end the same', async (t) => {
  for (const code of [
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'HPE_INVALID',
    'reply_too_large',
    'client_gone',
  ]) {
    t.notOk(failedExchange(code).isTransient, code);
  }
  for (const status of [200, 301, 400, 401, 403, 404, 422, 500]) {
    t.notOk(failedReply(status, undefined).isTransient, String(status));
  }
  t.notOk(failedReply(503, 'ERR_UID_NOT_FOUND').isTransient);
});

t.test('an attempt is in doubt where CometChat may still carry it out', async (t) => {
  for (const code of [
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'client_gone',
    'reply_informational',
    'reply_upgrade',
    'timeout_request',
    'timeout_response',
  ]) {
    t.ok(failedExchange(code).isInDoubt, code);
  }
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'CERT_HAS_EXPIRED', 'HPE_INVALID', 'timeout_connect']) {
    t.notOk(failedExchange(code).isInDoubt, code);
  }
  for (const status of [200, 404, 500]) {
    t.notOk(failedReply(status, undefined).isInDoubt, String(status));
  }
  for (const code of ['ERR_EXCEPTION', 'ERR_NEW']) t.notOk(failedReply(502, code).isInDoubt, code);
});

t.test('the key is refused by a code that says so, or by a bare 401', async (t) => {
  const refused = (status: number, code?: string) => failedReply(status, code).isKeyRefused;
  for (const code of ['AUTH_ERR_EMPTY_APIKEY', 'AUTH_ERR_APIKEY_NOT_FOUND', 'AUTH_ERR_NO_ACCESS']) {
    t.ok(refused(400, code), code);
  }
  t.ok(refused(401));
  for (const code of ['AUTH_ERR_INVALID_APPID', 'ERR_PLAN_RESTRICTION', 'ERR_NEW', 'AUTH_ERR_NEW']) {
    t.notOk(refused(401, code), code);
  }
  t.notOk(refused(403));
});

t.test('a problem of the gateway’s own access raises the operator’s alarm', async (t) => {
  const { put, sandbox, requests } = await startGateway(t);
  sandbox.fault({ status: 401, body: errorBody('AUTH_ERR_APIKEY_NOT_FOUND') }, { status: 500 });
  await put({ tags: [] });
  await put({ tags: [] });
  await put({ tags: [1] });
  t.match(requests(), [{ level: 'error' }, { level: 'warn' }, { level: 'info' }]);
});
