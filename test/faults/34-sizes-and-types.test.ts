import t from 'tap';
import { callBytes, sign } from '../helper.ts';
import { faulty } from './faulty.ts';

const BODY = '{"tags":[]}';
const CLOSE = 'Connection: close';

t.test('headers of more than 16 KiB get 431', async (t) => {
  const { raw, refused } = await faulty(t);
  for (const field of [
    `X-Long: ${'x'.repeat(20_000)}`,
    ...[1].map(() => 'X-Many: x\r\n'.repeat(2000).trim()),
  ]) {
    const answer = await raw(callBytes(CLOSE, field));
    await refused(t, answer, 431, 'headers-too-large', 'HPE_HEADER_OVERFLOW');
  }
  const address = `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
  await refused(t, await raw(address), 431, 'headers-too-large', 'HPE_HEADER_OVERFLOW');
});

t.test('a body of more than 32 KiB gets 413, announced or not', async (t) => {
  const { put, get, refused } = await faulty(t);
  const body = JSON.stringify({ tags: ['x'.repeat(32 * 1024)] });
  await refused(t, await put(body), 413, 'body-too-large');
  const headers = { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' };
  const init = { method: 'PUT', headers, body: new Blob([body]).stream(), duplex: 'half' } as RequestInit;
  await refused(t, await get('/me/conversations/tags', init), 413, 'body-too-large');
});

t.test('an empty body gets 400, announced or not', async (t) => {
  const { raw, refused } = await faulty(t);
  const head = callBytes(CLOSE, `Authorization: Bearer ${await sign()}`, 'Content-Type: application/json');
  const start = head.slice(0, head.indexOf('Content-Length'));
  for (const length of ['Content-Length: 0\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '\r\n']) {
    await refused(t, await raw(start + length), 400, 'body-malformed');
  }
});

t.test('any media type but JSON in UTF-8 gets 415', async (t) => {
  const { raw, put, refused } = await faulty(t);
  const types = [
    [],
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/jsonx'],
    ['application/json; charset=utf-16'],
    ['application/json; charset=utf-8; charset=utf-16'],
    ['application/json;'],
    ['application/json;\tcharset=utf-8'],
    ['application/json\tx'],
    ['application/merge-patch+json'],
    ['application/json, text/plain'],
    ['application/json', 'text/plain'],
    ['text/plain', 'application/json'],
  ];
  for (const values of types) {
    const fields = values.map((value) => `Content-Type: ${value}`);
    const answer = await raw(callBytes(CLOSE, `Authorization: Bearer ${await sign()}`, ...fields));
    await refused(t, answer, 415, 'media-type-unsupported');
  }
  for (const coding of ['gzip', 'identity', 'br, gzip']) {
    await refused(t, await put(BODY, { 'content-encoding': coding }), 415, 'media-type-unsupported');
  }
});

t.test('JSON in UTF-8 is accepted however it is written, white space around it included', async (t) => {
  const { raw, served } = await faulty(t);
  for (const type of [
    'application/json;charset=UTF-8',
    'Application/JSON; charset="utf-8"',
    'application/json\t',
    ' application/json ',
  ]) {
    const head = [CLOSE, `Authorization: Bearer ${await sign()}`, `Content-Type: ${type}`];
    await served(t, await raw(callBytes(...head)));
  }
});
