import t from 'tap';
import { build, callBytes, ME, OTHER, sign } from '../helper.ts';
import { faulty } from './faulty.ts';

const COOKIE = '__Host-session';
const JSON_TYPE = 'Content-Type: application/json';
const OURS = ['X-Requested-With: fetch', 'Sec-Fetch-Site: same-origin'];

t.test('one credential and no more, even if all of them are good', async (t) => {
  const { raw, refused } = await faulty(t, { SESSION_COOKIE: COOKIE });
  const token = await sign();
  const both: string[][] = [
    [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    [`Authorization: Bearer ${token}`, `Authorization: Bearer other`],
    [`Authorization: Bearer ${token}`, `Cookie: ${COOKIE}=${token}`],
    ['Authorization: Basic YTpi', `Cookie: ${COOKIE}=${token}`],
    [`Cookie: ${COOKIE}=${token}; ${COOKIE}=${token}`],
    [`Cookie: ${COOKIE}=other; ${COOKIE}=${token}`],
    [`Cookie: ${COOKIE}=${token}`, `Cookie: ${COOKIE}=${token}`],
  ];
  for (const fields of both) {
    const answer = await raw(callBytes('Connection: close', JSON_TYPE, ...OURS, ...fields));
    await refused(t, answer, 401, 'session-invalid');
  }
});

t.test('a cookie is read to the letter', async (t) => {
  const { raw, refused, served } = await faulty(t, { SESSION_COOKIE: COOKIE });
  const token = await sign();
  const send = (cookie: string) =>
    raw(callBytes('Connection: close', JSON_TYPE, ...OURS, `Cookie: ${cookie}`));
  for (const cookie of [`${COOKIE}=${token}`, `a=b; ${COOKIE}=${token}; c="d"`, `a=b;${COOKIE}=${token}`]) {
    await served(t, await send(cookie));
  }
  for (const cookie of [
    `${COOKIE.toLowerCase()}=${token}`,
    `${COOKIE}2=${token}`,
    `x${COOKIE}=${token}`,
    `${COOKIE}`,
    `a="${COOKIE}=${token}"`,
  ]) {
    await refused(t, await send(cookie), 401, 'session-missing');
  }
  // Raw bytes that JavaScript takes for white space, and a browser for a part of the name: a sibling domain can
  // set a cookie of such a name, for it has no `__Host-` at its beginning.
  for (const name of [`\xa0${COOKIE}`, `\x0b${COOKIE}`, `\x85${COOKIE}`, `\xef\xbb\xbf${COOKIE}`]) {
    const head = callBytes('Connection: close', JSON_TYPE, ...OURS, `Cookie: ${name}=${token}`);
    const answer = await raw(Buffer.from(head, 'latin1'));
    if (name.startsWith('\x0b')) await refused(t, answer, 400, 'body-malformed', /^HPE_/);
    else await refused(t, answer, 401, 'session-missing');
  }
  for (const value of [`"${token}"`, '', encodeURIComponent(`${token} `), `${token},`, `${token} x`]) {
    await refused(t, await send(`${COOKIE}=${value}`), 401, 'session-invalid');
  }
});

t.test('without SESSION_COOKIE no cookie is a session, nor in the way of one', async (t) => {
  const { raw, refused, served } = await faulty(t);
  const token = await sign();
  const cookie = `Cookie: session=${token}; __Host-session=${token}`;
  await refused(
    t,
    await raw(callBytes('Connection: close', JSON_TYPE, ...OURS, cookie)),
    401,
    'session-missing',
  );
  const bearer = `Authorization: Bearer ${token}`;
  await served(t, await raw(callBytes('Connection: close', JSON_TYPE, cookie, bearer)));
});

t.test('a cookie alone is not enough: any page can have it sent', async (t) => {
  const { port, raw, refused, served } = await faulty(t, {
    SESSION_COOKIE: COOKIE,
    CORS_ORIGINS: 'https://app.example,https://other.example',
  });
  const cookie = `Cookie: ${COOKIE}=${await sign()}`;
  const send = (...fields: string[]) =>
    raw(
      callBytes('Connection: close', JSON_TYPE, cookie, ...fields).replace(
        'Host: gateway',
        `Host: g:${port}`,
      ),
    );
  const header = 'X-Requested-With: XMLHttpRequest';
  for (const fields of [
    [header, 'Sec-Fetch-Site: same-origin'],
    [header, 'Sec-Fetch-Site: same-origin', `Origin: http://g:${port}`],
    [header, 'Sec-Fetch-Site: same-site', 'Origin: https://app.example'],
    [header, 'Sec-Fetch-Site: cross-site', 'Origin: https://other.example'],
    [header, 'Origin: https://app.example'],
    [header, `Origin: http://g:${port}`],
    [header, `Origin: https://g:${port}`],
  ]) {
    await served(t, await send(...fields));
  }
  for (const fields of [
    [],
    [header],
    ['X-Requested-With: ', 'Sec-Fetch-Site: same-origin'],
    ['Sec-Fetch-Site: same-origin'],
    ['Origin: https://app.example'],
    [header, 'Sec-Fetch-Site: none'],
    [header, 'Sec-Fetch-Site: same-site'],
    [header, 'Sec-Fetch-Site: same-site', `Origin: http://g:${port}`],
    [header, 'Sec-Fetch-Site: cross-site', `Origin: http://g:${port}`],
    [header, 'Sec-Fetch-Site: same-site', 'Origin: https://evil.example'],
    [header, 'Origin: https://evil.example'],
    [header, 'Origin: https://app.example.evil.example'],
    [header, 'Origin: https://app.example:8443'],
    [header, 'Origin: http://app.example'],
    [header, 'Origin: HTTPS://APP.EXAMPLE'],
    [header, 'Origin: null'],
    [header, 'Origin: https://app.example', 'Origin: https://evil.example'],
    [header, `Origin: http://g:${port + 1}`],
    [header, 'Sec-Fetch-Site: same-origin, same-origin'],
  ]) {
    await refused(t, await send(...fields), 403, 'csrf-rejected');
  }
});

t.test('a bearer token needs neither: no browser sends it by itself', async (t) => {
  const { put, served } = await faulty(t, { SESSION_COOKIE: COOKIE });
  await served(
    t,
    await put({ tags: [] }, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }),
  );
});

t.test('who acts comes from the session, whatever else the client says', async (t) => {
  const { put, sandbox } = await build(t);
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
  const answer = await put({ tags: ['a'], conversationWith: OTHER }, claims);
  t.equal(answer.status, 200);
  t.not(answer.headers.get('x-request-id'), 'mine');
  const [call] = sandbox.calls;
  t.equal(call?.path, `/v3/users/${OTHER}/conversation`);
  t.equal(call?.headers.onbehalfof, ME);
  const sent = Object.keys(call?.headers ?? {});
  t.strictSame(sent.filter((name) => name in claims).sort(), ['apikey', 'onbehalfof']);
  t.not(call?.headers.apikey, 'stolen');
});
