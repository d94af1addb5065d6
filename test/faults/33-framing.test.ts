import t from 'tap';
import { timeouts } from '../../src/http/raw-errors.ts';
import { sign } from '../helper.ts';
import { faulty } from './faulty.ts';

/** The head of a good call, but for what tells how long its body is. */
const head = async (...fields: string[]) =>
  [
    'PUT /me/conversations/tags HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${await sign()}`,
    'Content-Type: application/json',
    ...fields,
    '',
    '',
  ].join('\r\n');
const BODY = '{"tags":[]}';

t.test('whatever leaves two readings of where a body ends is refused', async (t) => {
  const { raw, refused } = await faulty(t);
  const chunked = `b\r\n${BODY}\r\n0\r\n\r\n`;
  const refusedBytes = [
    (await head('Content-Length: 11', 'Transfer-Encoding: chunked')) + chunked,
    (await head('Transfer-Encoding: chunked', 'Content-Length: 11')) + chunked,
    (await head('Content-Length: 11', 'Content-Length: 12')) + BODY,
    (await head('Content-Length: 11, 11')) + BODY,
    (await head('Content-Length: -11')) + BODY,
    (await head('Content-Length: +11')) + BODY,
    (await head('Content-Length: 0xb')) + BODY,
    (await head('Content-Length: 99999999999999999999')) + BODY,
    (await head('Transfer-Encoding: chunked, identity')) + chunked,
    (await head('Transfer-Encoding : chunked')) + chunked,
    (await head('Transfer-Encoding: xchunked')) + chunked,
    (await head('X-Folded: a\r\n b', 'Content-Length: 11')) + BODY,
  ];
  for (const bytes of refusedBytes) await refused(t, await raw(bytes), 400, 'body-malformed', /^HPE_/);
});

t.test('a chunk whose size is none is refused', async (t) => {
  const { raw, refused } = await faulty(t);
  for (const chunk of [
    'xyz\r\n',
    '-1\r\n',
    'b \r\n',
    'ffffffffffffffffff\r\n',
    `b${BODY}`,
    `3\r\n${BODY}\r\n`,
  ]) {
    const bytes = `${await head('Transfer-Encoding: chunked')}${chunk}`;
    await refused(t, await raw(bytes), 400, 'body-malformed', /^HPE_/);
  }
});

t.test('a Content-Length that promises more than comes waits no longer than any slow body', async (t) => {
  const { raw, refused } = await faulty(t, {}, { server: timeouts(100, 20) });
  const bytes = (await head('Content-Length: 12')) + BODY;
  await refused(t, await raw(bytes), 408, 'request-timeout', 'ERR_HTTP_REQUEST_TIMEOUT');
});

t.test('what follows a body that was announced too short is never read as its rest', async (t) => {
  const { raw, refused } = await faulty(t);
  const bytes = (await head('Content-Length: 10')) + BODY;
  await refused(t, await raw(bytes), 400, 'body-malformed', /^HPE_/);
});
