import t from 'tap';
import { callBytes } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';

t.test('an unknown address gets 404, however it looks, and does not stand in the log', async (t) => {
  const { raw, refused, requests } = await startGateway(t);
  for (const path of [
    '/livez/',
    '/LIVEZ',
    // It cannot be decoded.
    '/%zz',
    // Fastify would take these for patterns.
    '/:a(',
    '/:a([)',
    '/*x',
    '/:a((a+)+$)',
    `/:a(${'eyJ'.repeat(5000)}`,
  ]) {
    const bytes = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    await refused(t, () => raw(bytes), 404, 'route-not-found');
    t.notOk(JSON.stringify(requests().at(-1)).includes(path));
  }
});

t.test('what stands behind the question mark is no part of the address', async (t) => {
  const { get, refused } = await startGateway(t);
  await refused(t, () => get('/livez?a=1', { method: 'POST' }), 405, 'method-not-allowed');
  t.equal((await get('/livez?a=1')).status, 200);
});

t.test('an unknown address or a wrong method is told so whatever the body is', async (t) => {
  const { raw, refused } = await startGateway(t);
  for (const type of [
    '',
    'Content-Type: application/json\r\n',
    'Content-Type: what/ever\r\n',
    'Content-Type: ;\r\n',
  ]) {
    const ask = (start: string) => () =>
      raw(`${start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${type}Content-Length: 1\r\n\r\n{`);
    await refused(t, ask('POST /nothing'), 404, 'route-not-found');
    for (const method of ['POST', 'QUERY', 'PROPFIND']) {
      await refused(t, ask(`${method} /livez`), 405, 'method-not-allowed');
    }
  }
});

t.test('a malformed request or an unknown address does not count against the client’s address', async (t) => {
  const { put, raw, refused } = await startGateway(t, { RATE_LIMIT_PER_MINUTE: '1' });
  const noHost = callBytes('Connection: close').replace('Host: gateway\r\n', '');
  for (const _ of [1, 2, 3]) {
    const line = { error: { type: 'HOST' } };
    const answer = await refused(t, () => raw(noHost), 400, 'body-malformed', { line });
    t.equal(answer.headers.get('ratelimit'), null);
  }
  const nobody = () => put({ tags: [] }, { authorization: 'Bearer nobody' });
  await refused(t, nobody, 401, 'session-invalid', { reason: 'malformed' });
  // The limit is used up.
  const unknown = callBytes('Connection: close').replace('/me/conversations/tags', '/nothing');
  await refused(t, () => raw(unknown), 404, 'route-not-found');
});
