import t from 'tap';
import { build, callBytes, isProblem, sign } from '../helper.ts';

t.test('a field that is wrong or unknown is named, and CometChat is not called', async (t) => {
  const { put, sandbox } = await build(t);
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ tag: ['a'] }, '/tag', /is not a field of this request/],
    [{ conversationType: 'group' }, '/conversationWith', /is required where conversationType is "group"/],
    [{ conversationType: 'channel' }, '/conversationType', /must be one of "user", "group"/],
    [{ conversationType: null }, '/conversationType', /must be one of "user", "group"/],
    [{ conversationWith: 7 }, '/conversationWith', /must be a string/],
    ...['', '../x', 'A B', 'Alice', 'a/b', 'a%2fb', 'a\r\nb', 'a\n', '\u0430', 'x'.repeat(101)].map(
      (id): [Record<string, unknown>, string, RegExp] => [
        { conversationWith: id },
        '/conversationWith',
        /must be 1 to 100 of a-z, 0-9, "-" and "_"/,
      ],
    ),
  ];
  for (const [fields, pointer, detail] of cases) {
    const answer = await put({ tags: [], ...fields });
    isProblem(t, answer, 400, 'body-invalid');
    t.match(answer.json.errors, [{ pointer, detail }], JSON.stringify(fields));
    t.equal(answer.json.errors.length, 1);
  }
  t.equal(sandbox.calls.length, 0);
});

t.test('a body that is JSON but no object is named as a whole', async (t) => {
  const { put } = await build(t);
  for (const body of ['null', '[]', '"a"', '1', 'true']) {
    const answer = await put(body);
    isProblem(t, answer, 400, 'body-invalid');
    t.match(answer.json.errors[0], { pointer: '', detail: 'must be a JSON object' });
  }
});

t.test('a body that is no JSON is malformed', async (t) => {
  const { put, sandbox } = await build(t);
  for (const body of [
    '{',
    '{"tags":[]}}',
    "{'tags':[]}",
    '{"tags":[],}',
    'tags',
    ' ',
    '{"__proto__":{},"tags":[]}',
    '{"constructor":{"prototype":{}},"tags":[]}',
  ]) {
    isProblem(t, await put(body), 400, 'body-malformed');
  }
  t.equal(sandbox.calls.length, 0);
});

t.test('an empty body is malformed, and one that is not UTF-8 too', async (t) => {
  const { get } = await build(t);
  const headers = { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' };
  const send = (body?: Buffer) =>
    get('/me/conversations/tags', { method: 'PUT', headers, ...(body && { body: new Uint8Array(body) }) });
  isProblem(t, await send(), 400, 'body-malformed');
  const latin1 = await send(Buffer.from('{"tags":["caf\xe9"]}', 'latin1'));
  isProblem(t, latin1, 400, 'body-malformed');
  t.equal(latin1.json.detail, 'The body is not UTF-8.');
});

t.test('a body over 32 KiB is refused, announced or not', async (t) => {
  const { put, get, sandbox } = await build(t);
  const body = JSON.stringify({ tags: ['x'.repeat(32 * 1024)] });
  isProblem(t, await put(body), 413, 'body-too-large');
  const stream = new Blob([body]).stream();
  const headers = { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' };
  const init = { method: 'PUT', headers, body: stream, duplex: 'half' } as RequestInit;
  isProblem(t, await get('/me/conversations/tags', init), 413, 'body-too-large');
  t.equal(sandbox.calls.length, 0);
});

t.test('only JSON in UTF-8 is a media type of this API', async (t) => {
  const { put, raw, sandbox } = await build(t);
  const refused = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'application/json; charset=utf-16',
    'application/json;',
    'application/json;\tcharset=utf-8',
    'application/json\t',
    'application/merge-patch+json',
    'application/json, text/plain',
    'application/json\r\nContent-Type: text/plain',
  ];
  const authorization = `Bearer ${await sign()}`;
  for (const type of [...refused, undefined]) {
    const reply = await raw(
      callBytes(
        'Connection: close',
        `Authorization: ${authorization}`,
        ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ),
    );
    // Node.js strips white space at the end of a field before anyone sees it.
    const expected =
      type === 'application/json\t' ? /^HTTP\/1.1 200 / : /^HTTP\/1.1 415 [\s\S]*"media-type-unsupported"/;
    t.match(reply, expected, String(type));
  }
  t.equal(sandbox.calls.length, 1);
  isProblem(t, await put('{"tags":[]}', { 'content-encoding': 'gzip' }), 415, 'media-type-unsupported');
  for (const type of ['application/json;charset=UTF-8', 'Application/JSON; charset="utf-8"']) {
    t.equal((await put('{"tags":[]}', { 'content-type': type })).status, 200, type);
  }
});
