import t from 'tap';
import { callBytes } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';

const COOKIE = '__Host-session';
const HEADER = 'X-Requested-With: XMLHttpRequest';

t.test('a cookie is accepted from pages of our origins, with a header that no form can send', async (t) => {
  const { port, raw, refused, served } = await startGateway(t, {
    SESSION_COOKIE: COOKIE,
    CORS_ORIGINS: 'https://app.example,https://other.example',
  });
  const basics = ['Connection: close', 'Content-Type: application/json', `Cookie: ${COOKIE}=${await sign()}`];
  const send = (...fields: string[]) =>
    raw(callBytes(...basics, ...fields).replace('Host: gateway', `Host: g:${port}`));
  for (const fields of [
    ['Sec-Fetch-Site: same-origin'],
    ['Sec-Fetch-Site: same-origin', `Origin: http://g:${port}`],
    ['Sec-Fetch-Site: same-site', 'Origin: https://app.example'],
    ['Sec-Fetch-Site: cross-site', 'Origin: https://other.example'],
    ['Origin: https://app.example'],
    [`Origin: http://g:${port}`],
    [`Origin: https://g:${port}`],
  ]) {
    await served(t, () => send(HEADER, ...fields));
  }
  for (const fields of [
    [],
    ['Sec-Fetch-Site: same-origin'],
    ['X-Requested-With: ', 'Sec-Fetch-Site: same-origin'],
    ['Origin: https://app.example'],
    [HEADER],
    [HEADER, 'Sec-Fetch-Site: none'],
    [HEADER, 'Sec-Fetch-Site: same-site'],
    [HEADER, 'Sec-Fetch-Site: same-site', `Origin: http://g:${port}`],
    [HEADER, 'Sec-Fetch-Site: cross-site', `Origin: http://g:${port}`],
    [HEADER, 'Sec-Fetch-Site: same-site', 'Origin: https://evil.example'],
    [HEADER, 'Sec-Fetch-Site: same-origin, same-origin'],
    [HEADER, 'Origin: https://evil.example'],
    [HEADER, 'Origin: https://app.example.evil.example'],
    [HEADER, 'Origin: https://app.example:8443'],
    [HEADER, 'Origin: http://app.example'],
    [HEADER, 'Origin: HTTPS://APP.EXAMPLE'],
    [HEADER, 'Origin: null'],
    [HEADER, 'Origin: https://app.example', 'Origin: https://evil.example'],
    [HEADER, `Origin: http://g:${port + 1}`],
  ]) {
    await refused(t, () => send(...fields), 403, 'csrf-rejected');
  }
});

t.test('with a cookie a read needs that header, too', async (t) => {
  const { getTags, list, refused, sandbox, served } = await startGateway(t, { SESSION_COOKIE: COOKIE });
  const page = { authorization: '', cookie: `${COOKIE}=${await sign()}`, 'sec-fetch-site': 'same-origin' };
  for (const read of [getTags, list]) {
    await refused(t, () => read('', page), 403, 'csrf-rejected');
    const elsewhere = { ...page, 'x-requested-with': 'fetch', 'sec-fetch-site': 'cross-site' };
    await refused(t, () => read('', elsewhere), 403, 'csrf-rejected');
    sandbox.fault({ status: 200, body: { data: [] } });
    await served(t, () => read('', { ...page, 'x-requested-with': 'fetch' }));
  }
});

t.test('a bearer token is accepted from any page: no browser sends it by itself', async (t) => {
  const { put, served } = await startGateway(t, { SESSION_COOKIE: COOKIE });
  await served(t, () =>
    put({ tags: [] }, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }),
  );
});
