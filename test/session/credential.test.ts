import t from 'tap';
import { callerOf } from '../../src/base/caller.ts';
import { credentialOf } from '../../src/session/credential.ts';
import { callBytes, isProblem } from '../helpers/answers.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';

const COOKIE = '__Host-session';
const OURS = ['X-Requested-With: fetch', 'Sec-Fetch-Site: same-origin'];
const MISSING = { reason: 'missing' } as const;
const MALFORMED = { reason: 'malformed' } as const;

/** Makes the call with these header fields. */
const sender =
  ({ raw }: Gateway) =>
  (...fields: string[]) => {
    const bytes = callBytes('Connection: close', 'Content-Type: application/json', ...OURS, ...fields);
    return raw(Buffer.from(bytes, 'latin1'));
  };

t.test('without a session there is a 401 that says how to send one', async (t) => {
  const gateway = await startGateway(t);
  const send = sender(gateway);
  const good = await sign();
  for (const value of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'Bearer a b',
    'Bearer tok,en',
    `Basic Bearer ${good}`,
    `Bearer${good}`,
  ]) {
    const fields = value === undefined ? [] : [`Authorization: ${value}`];
    const answer = await gateway.refused(t, () => send(...fields), 401, 'session-missing', MISSING);
    t.equal(answer.headers.get('www-authenticate'), 'Bearer realm="cometchat-gateway"');
  }
});

t.test('the scheme may be written in any case', async (t) => {
  const { put, served } = await startGateway(t);
  const token = await sign();
  for (const scheme of ['bearer', 'BEARER']) {
    await served(t, () => put({ tags: [] }, { authorization: `${scheme} ${token}` }));
  }
});

t.test('the session is asked for before the body is looked at', async (t) => {
  const { put, refused } = await startGateway(t);
  const headers = { authorization: '', 'content-type': 'text/plain' };
  await refused(t, () => put('no json', headers), 401, 'session-missing', MISSING);
});

t.test('a route outside the signed-in scope has no caller, and is refused', async (t) => {
  const { get } = await startGateway(
    t,
    {},
    { extend: (app) => app.get('/open', (request) => callerOf(request)) },
  );
  isProblem(t, await get('/open'), 401, 'session-missing');
});

t.test('several credentials are refused, even if all of them are good', async (t) => {
  const gateway = await startGateway(t, { SESSION_COOKIE: COOKIE });
  const send = sender(gateway);
  const token = await sign();
  for (const fields of [
    [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    [`Authorization: Bearer ${token}`, 'Authorization: Bearer other'],
    [`Authorization: Bearer ${token}`, `Cookie: ${COOKIE}=${token}`],
    ['Authorization: Basic YTpi', `Cookie: ${COOKIE}=${token}`],
    [`Cookie: ${COOKIE}=${token}; ${COOKIE}=${token}`],
    [`Cookie: ${COOKIE}=other; ${COOKIE}=${token}`],
    [`Cookie: ${COOKIE}=${token}`, `Cookie: ${COOKIE}=${token}`],
  ]) {
    await gateway.refused(t, () => send(...fields), 401, 'session-invalid', MALFORMED);
  }
});

t.test('the session cookie is taken by its exact name and value', async (t) => {
  const gateway = await startGateway(t, { SESSION_COOKIE: COOKIE });
  const { refused, served } = gateway;
  const send = (cookie: string) => sender(gateway)(`Cookie: ${cookie}`);
  const token = await sign();
  for (const cookie of [`${COOKIE}=${token}`, `a=b; ${COOKIE}=${token}; c="d"`, `a=b;${COOKIE}=${token}`]) {
    await served(t, () => send(cookie));
  }
  for (const cookie of [
    `${COOKIE.toLowerCase()}=${token}`,
    `${COOKIE}2=${token}`,
    `x${COOKIE}=${token}`,
    `${COOKIE}`,
    `a="${COOKIE}=${token}"`,
  ]) {
    await refused(t, () => send(cookie), 401, 'session-missing', MISSING);
  }
  const halves = [`"${token}`, `${token}"`, `""${token}""`, '"'];
  for (const value of [...halves, encodeURIComponent(`${token} `), `${token},`, `${token} x`]) {
    await refused(t, () => send(`${COOKIE}=${value}`), 401, 'session-invalid', MALFORMED);
  }
});

t.test('the session cookie is read as frameworks write it: percent-encoded, or in quotes', async (t) => {
  const credential = (value: string) =>
    credentialOf({ headersDistinct: { cookie: [`a=b; session=${value}`] } } as never, 'session');
  const token = 'ab+/cd~e._-==';
  for (const value of [
    token,
    encodeURIComponent(token),
    encodeURIComponent(token).toLowerCase(),
    token.replaceAll('=', '%3D'),
    token.replace(/./gs, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    // Python's, and a mix of both.
    `"${token}"`,
    `"${encodeURIComponent(token)}"`,
    encodeURIComponent(`"${token}"`),
  ]) {
    t.strictSame(credential(value), { token, isCookie: true }, value);
  }
  for (const value of [
    ...['%', '%zz', `${token}%`, `${token}%2`, '%E0%A4%A', '%ff', '%C0%AF'],
    ...['%00', 'a%0d%0ab', 'a%20b', '%22a', 'a%3Bb', '%252B', 's%3Aa.b', 'a%C3%A9'],
  ]) {
    t.match(credential(value), { code: 'session-invalid', reason: 'malformed' }, value);
  }
});

t.test('an empty credential counts as absent', async (t) => {
  const gateway = await startGateway(t, { SESSION_COOKIE: COOKIE });
  const { refused, served } = gateway;
  const send = sender(gateway);
  const token = await sign();
  const emptyHeaders = ['', 'Bearer', 'Bearer ', 'bearer \t '].map((value) => `Authorization: ${value}`);
  const emptyCookies = ['', '""', ' ', '%20', '%22%22'].map((value) => `Cookie: ${COOKIE}=${value}`);
  for (const empty of [...emptyHeaders, ...emptyCookies]) {
    await refused(t, () => send(empty), 401, 'session-missing', MISSING);
    await served(t, () => send(empty, `Authorization: Bearer ${token}`));
    await served(t, () => send(empty, `Cookie: ${COOKIE}=${token}`));
  }
  await served(t, () => send(`Cookie: ${COOKIE}=; ${COOKIE}=${token}; ${COOKIE}=""`));
  await refused(t, () => send(...emptyHeaders, ...emptyCookies), 401, 'session-missing', MISSING);
});

t.test('a sibling domain cannot set the session cookie under a name with odd bytes', async (t) => {
  const gateway = await startGateway(t, { SESSION_COOKIE: COOKIE });
  const { refused } = gateway;
  const cookie = `${COOKIE}=${await sign()}`;
  const send = (bytes: string) => sender(gateway)(`Cookie: ${bytes}${cookie}`);
  // Bytes that JavaScript takes for white space, and a browser for a part of the name. Such a name does not begin with
  // `__Host-`, so that browsers let a sibling domain set it.
  for (const bytes of ['\xa0', '\x85', '\xef\xbb\xbf']) {
    await refused(t, () => send(bytes), 401, 'session-missing', MISSING);
  }
  const line = { error: { type: /^HPE_/ } };
  await refused(t, () => send('\x0b'), 400, 'body-malformed', { line });
});

t.test('a cookie of a million blanks is looked through once', async (t) => {
  // Hours, and a test that times out, where each blank begins a search of its own.
  for (const blank of [' ', '\t', ' \t', '; ']) {
    const cookie = `a${blank.repeat(1_000_000 / blank.length)}b`;
    const credential = credentialOf({ headersDistinct: { cookie: [cookie] } } as never, 'session');
    t.match(credential, { code: 'session-missing' });
  }
});

t.test('without SESSION_COOKIE cookies are ignored', async (t) => {
  const gateway = await startGateway(t);
  const send = sender(gateway);
  const token = await sign();
  const cookie = `Cookie: session=${token}; ${COOKIE}=${token}`;
  await gateway.refused(t, () => send(cookie), 401, 'session-missing', MISSING);
  await gateway.served(t, () => send(cookie, `Authorization: Bearer ${token}`));
});
