import t from 'tap';
import { callBytes } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer, sign } from '../helpers/tokens.ts';

const PATH = '/me/conversations/tags';
const JSON_TYPE = { 'content-type': 'application/json' };

/** A good call as bytes, with these header fields. */
const call = async (...fields: string[]) =>
  callBytes('Connection: close', `Authorization: Bearer ${await sign()}`, ...fields);

t.test('a body of more than 32 KiB gets 413, announced or not', async (t) => {
  const { put, get, refused } = await startGateway(t);
  const body = JSON.stringify({ tags: ['x'.repeat(32 * 1024)] });
  await refused(t, () => put(body), 413, 'body-too-large');
  const headers = { ...(await bearer()), ...JSON_TYPE };
  const unannounced = () =>
    get(PATH, { method: 'PUT', headers, body: new Blob([body]).stream(), duplex: 'half' } as RequestInit);
  await refused(t, unannounced, 413, 'body-too-large');
});

t.test('an empty body gets 400, announced or not', async (t) => {
  const { raw, refused } = await startGateway(t);
  const head = (await call('Content-Type: application/json')).split('Content-Length')[0];
  for (const end of ['Content-Length: 0\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '\r\n']) {
    const answer = await refused(t, () => raw(head + end), 400, 'body-malformed');
    t.equal(answer.json.detail, 'The body is empty. Send a JSON object.');
  }
});

t.test('any media type but JSON in UTF-8 gets 415', async (t) => {
  const { raw, put, refused } = await startGateway(t);
  for (const types of [
    [],
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/jsonx'],
    ['application/json; charset=utf-16'],
    ['application/json; charset=utf-8; charset=utf-16'],
    ['application/json;'],
    ['application/json; charset="utf8'],
    ['application/json; charset=utf8"'],
    ["application/json; charset='utf-8'"],
    ['application/json; charset=utf--8'],
    ['application/json; charset=utf-8; charset=utf-8'],
    ['application/json; version=1'],
    ['application/json; version=1; charset=utf-8'],
    ['application/json;\tcharset=utf-8'],
    ['application/json\tx'],
    ['application/merge-patch+json'],
    ['application/json, text/plain'],
    ['application/json', 'text/plain'],
    ['text/plain', 'application/json'],
  ]) {
    const bytes = await call(...types.map((type) => `Content-Type: ${type}`));
    await refused(t, () => raw(bytes), 415, 'media-type-unsupported');
  }
  for (const coding of [
    'gzip',
    'br, gzip',
    'identity, gzip',
    'gzip, identity',
    'x-identity',
    'identity;q=1',
  ]) {
    const send = () => put({ tags: [] }, { 'content-encoding': coding });
    await refused(t, send, 415, 'media-type-unsupported');
  }
});

t.test('the media type may be written in any case, with or without quotes and white space', async (t) => {
  const { raw, served } = await startGateway(t);
  for (const type of [
    'application/json;charset=UTF-8',
    'Application/JSON; charset="utf-8"',
    'application/json;charset=utf8',
    'application/json;charset=UTF8',
    'application/json ; charset=utf8',
    'application/json; charset="UTF8"',
    'APPLICATION/JSON;CHARSET=UTF-8',
    'application/json\t',
    ' application/json ',
  ]) {
    const bytes = await call(`Content-Type: ${type}`);
    await served(t, () => raw(bytes));
  }
});

t.test('a body that says that it is in no coding is read', async (t) => {
  const { raw, served } = await startGateway(t);
  for (const codings of [
    ['identity'],
    ['Identity'],
    ['identity, IDENTITY'],
    ['identity', 'identity'],
    [''],
    [', identity,'],
  ]) {
    const bytes = await call(
      'Content-Type: application/json',
      ...codings.map((coding) => `Content-Encoding: ${coding}`),
    );
    await served(t, () => raw(bytes));
  }
});

t.test('what is no JSON is refused as a whole', async (t) => {
  const { put, refused } = await startGateway(t);
  for (const body of [
    '{',
    '{"tags":[]}}',
    "{'tags':[]}",
    '{"tags":[],}',
    '{"tags":[]}//',
    'tags',
    '{"tags":["\u0000"]}',
    '{"tags":["\\x41"]}',
    '{"tags":NaN}',
    'tags=a',
    '\ufeff{',
    // White space, but not JSON's.
    '\u00a0{"tags":[]}',
    '{"tags":[]}\u3000',
    '\ufeff\ufeff{"tags":[]}',
  ]) {
    const answer = await refused(t, () => put(body), 400, 'body-malformed');
    t.match(answer.json.detail, /^The body is not JSON\. /, body);
    t.notMatch(answer.json.detail, /HTTP/);
  }
  for (const body of [' ', '\r\n', '\ufeff']) {
    const answer = await refused(t, () => put(body), 400, 'body-malformed');
    t.equal(answer.json.detail, 'The body is empty. Send a JSON object.', JSON.stringify(body));
  }
});

t.test('a body that is not UTF-8 is refused', async (t) => {
  const { get, refused } = await startGateway(t);
  const headers = { ...(await bearer()), ...JSON_TYPE };
  for (const bytes of [[0xe9], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff, 0xfe]]) {
    const body = Buffer.concat([Buffer.from('{"tags":["'), Buffer.from(bytes), Buffer.from('"]}')]);
    const send = () => get(PATH, { method: 'PUT', headers, body: new Uint8Array(body) });
    const answer = await refused(t, send, 400, 'body-malformed');
    t.equal(answer.json.detail, 'The body is not UTF-8.');
  }
});

t.test('a body that would change JavaScript’s prototypes is refused', async (t) => {
  const { put, refused } = await startGateway(t);
  for (const body of [
    '{"__proto__":{"tags":[]}}',
    '{"__proto__":{},"tags":[]}',
    '{"\\u005f_proto__":{},"tags":[]}',
    '{"constructor":{"prototype":{}},"tags":[]}',
    '\ufeff{"__proto__":{}}',
  ]) {
    const answer = await refused(t, () => put(body), 400, 'body-malformed');
    t.match(answer.json.detail, /^The body has a field named "__proto__", /);
  }
});

t.test('a byte order mark before the JSON does no harm', async (t) => {
  const { put, served } = await startGateway(t);
  await served(t, () => put('\ufeff{"tags":[]}'));
});
