import t from 'tap';
import { timeouts } from '../../src/http/raw-errors.ts';
import { sign } from '../helper.ts';
import { faulty } from './faulty.ts';

const START = 'PUT /me/conversations/tags HTTP/1.1\r\nHost: x\r\n';

t.test('headers that do not end in time get 408', async (t) => {
  const { raw, refused } = await faulty(t, {}, { server: timeouts(100, 20) });
  for (const bytes of ['PUT /me', START, `${START}X-Slow: `]) {
    await refused(t, await raw(bytes), 408, 'request-timeout', 'ERR_HTTP_REQUEST_TIMEOUT');
  }
});

t.test('a body that does not end in time gets 408, with a good session too', async (t) => {
  const { raw, refused, requests } = await faulty(t, {}, { server: timeouts(100, 20) });
  const head = `${START}Authorization: Bearer ${await sign()}\r\nContent-Type: application/json\r\n`;
  for (const body of ['Content-Length: 11\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"tag']) {
    await refused(t, await raw(head + body), 408, 'request-timeout', 'ERR_HTTP_REQUEST_TIMEOUT');
  }
  t.equal(requests().length, 2, 'one line each');
});
