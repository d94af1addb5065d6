import https from 'node:https';
import t from 'tap';
import type { Tls } from '../../sandbox/certificates.ts';
import { KEY, sandboxed } from './sandboxed.ts';

/** The status of a reply, or the code of the error. */
const get = (url: string, ca: string | undefined) =>
  new Promise<number | string | undefined>((resolve) => {
    https
      .get(url, { ...(ca && { ca }), agent: false, headers: { apikey: KEY } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
  });

t.test('its certificate is good, expired, or for another host', async (t) => {
  const cases: [Tls, number | string][] = [
    ['good', 404],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['wrong-host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ];
  for (const [tls, outcome] of cases) {
    const { sandbox } = await sandboxed(t, { tls });
    t.match(sandbox.baseUrl, /^https:\/\/127\.0\.0\.1:\d+\/v3$/);
    t.equal(await get(sandbox.baseUrl, sandbox.ca), outcome);
    t.type(await get(sandbox.baseUrl, undefined), 'string', 'nobody knows its CA');
    t.equal(sandbox.received, tls === 'good' ? 1 : 0);
  }
});

t.test('faults and the link are the same with it', async (t) => {
  const { sandbox } = await sandboxed(t, { tls: 'good' });
  sandbox.fault({ raw: ['HTTP/1.1 204 No Content\r\n\r\n'] }, { reset: 'on-arrival' });
  t.equal(await get(sandbox.baseUrl, sandbox.ca), 204);
  t.equal(await get(sandbox.baseUrl, sandbox.ca), 'ECONNRESET');
  await sandbox.link('refused');
  t.equal(await get(sandbox.baseUrl, sandbox.ca), 'ECONNREFUSED');
  await sandbox.link('up');
  t.equal(await get(sandbox.baseUrl, sandbox.ca), 404);
});
