import t from 'tap';
import { parseAnswer } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';

t.test('every answer says that it is nobody else’s and nothing but JSON', async (t) => {
  const { put, get, raw } = await startGateway(t);
  const answers = [
    await put({ tags: [] }),
    await put({ tags: 1 }),
    await put({ tags: [] }, { authorization: '' }),
    await get('/livez'),
    await get('/nothing'),
    parseAnswer(await raw('GARBAGE\r\n\r\n')),
    parseAnswer(await raw('GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')),
  ];
  for (const { status, headers } of answers) {
    t.match(headers.get('content-type'), /^application\/(problem\+)?json/, String(status));
    t.equal(headers.get('cache-control'), 'no-store');
    t.equal(headers.get('x-content-type-options'), 'nosniff');
    t.notOk(headers.has('server') || headers.has('x-powered-by'), 'no banner');
    t.notOk(headers.has('strict-transport-security'));
  }
});

t.test('browsers are told to stay with https when that is asked for', async (t) => {
  const { put, get, raw } = await startGateway(t, { HSTS_MAX_AGE: '31536000' });
  const unrouted = parseAnswer(await raw('GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
  for (const answer of [await put({ tags: [] }), await get('/nothing'), unrouted]) {
    t.equal(answer.headers.get('strict-transport-security'), 'max-age=31536000');
  }
  const { get: gone } = await startGateway(t, { HSTS_MAX_AGE: '0' });
  t.equal((await gone('/livez')).headers.get('strict-transport-security'), 'max-age=0');
});
