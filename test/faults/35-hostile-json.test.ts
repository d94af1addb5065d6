import t from 'tap';
import { sign } from '../helper.ts';
import { faulty } from './faulty.ts';

t.test('what is no JSON is refused as a whole', async (t) => {
  const { put, refused } = await faulty(t);
  for (const body of [
    '{',
    '{"tags":[]}}',
    "{'tags':[]}",
    '{"tags":[],}',
    '{"tags":[]}//',
    'tags',
    ' ',
    '{"tags":["\u0000"]}',
    '{"tags":["\\x41"]}',
    '{"tags":NaN}',
  ]) {
    await refused(t, await put(body), 400, 'body-malformed');
  }
});

t.test('a body that is not UTF-8 is refused', async (t) => {
  const { get, refused } = await faulty(t);
  const headers = { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' };
  for (const bytes of [[0xe9], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff, 0xfe]]) {
    const body = Buffer.concat([Buffer.from('{"tags":["'), Buffer.from(bytes), Buffer.from('"]}')]);
    const init = { method: 'PUT', headers, body: new Uint8Array(body) };
    const answer = await refused(t, await get('/me/conversations/tags', init), 400, 'body-malformed');
    t.equal(answer.json.detail, 'The body is not UTF-8.');
  }
});

t.test('of a repeated field the last one counts, however it is spelt', async (t) => {
  const { put, refused, served, sandbox } = await faulty(t);
  const other = '/v3/users/cometchat-uid-3/conversation';
  for (const [body, path, tags] of [
    ['{"tags":["a"],"tags":["b"],"conversationWith":"cometchat-uid-3"}', other, ['b']],
    ['{"tags":[],"tags":["a"],"conversationWith":"cometchat-uid-3"}', other, ['a']],
    ['{"tags":1,"tags":["a"],"conversationWith":"cometchat-uid-3"}', other, ['a']],
    ['{"tags":["a"],"t\\u0061gs":["b"],"conversationWith":"cometchat-uid-3"}', other, ['b']],
    ['{"tags":[],"conversationWith":"cometchat-uid-2","conversationWith" :"cometchat-uid-3"}', other, []],
  ] as const) {
    await served(t, await put(body));
    t.match(sandbox.calls.at(-1), { path, body: JSON.stringify({ tags }) });
  }
  for (const body of ['{"tags":["a"],"tags":1}', '{"tags":[],"tags":[{"a":1,"a":2}]}']) {
    await refused(t, await put(body), 400, 'body-invalid');
  }
  // Names of fields where none are meant.
  await served(t, await put('{"tags":["tags","a\\":","\\"tags\\":"],"conversationWith":"cometchat-uid-3"}'));
});

t.test('names with a meaning to JavaScript are no fields', async (t) => {
  const { put, refused } = await faulty(t);
  for (const body of [
    '{"__proto__":{"tags":[]}}',
    '{"__proto__":{},"tags":[]}',
    '{"\\u005f_proto__":{},"tags":[]}',
    '{"constructor":{"prototype":{}},"tags":[]}',
  ]) {
    await refused(t, await put(body), 400, 'body-malformed');
  }
  for (const name of ['constructor', 'prototype', 'toString', 'hasOwnProperty', '']) {
    const answer = await refused(t, await put(`{"tags":[],"${name}":1}`), 400, 'body-invalid');
    t.match(answer.json.errors, [{ pointer: `/${name}`, detail: /is not a field/ }]);
  }
});

t.test('deep nesting and ten thousand tags are refused with a short answer', async (t) => {
  const { put, refused } = await faulty(t);
  const bodies = [
    '['.repeat(16_000) + ']'.repeat(16_000),
    `{"tags":${'['.repeat(16_000)}${']'.repeat(16_000)}}`,
    `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
    JSON.stringify({ tags: Array(10_000).fill('') }),
    JSON.stringify({ tags: Array.from({ length: 3000 }, (_, index) => `t${index}`) }),
    JSON.stringify(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`f${index}`, 1]))),
  ];
  for (const body of bodies) {
    const answer = await refused(t, await put(body), 400, 'body-invalid');
    t.ok(answer.text.length < 4000, 'a short answer');
  }
});

t.test('tags that no other system would keep as they are get refused', async (t) => {
  const { put, refused } = await faulty(t);
  for (const tag of [
    '\\ud800',
    'a\\udc00b',
    '\\u0000',
    'a\\u0007',
    '\\u007f',
    '\\u0085',
    '\\u2028',
    '   ',
    '',
  ]) {
    const answer = await refused(t, await put(`{"tags":["good","${tag}"]}`), 400, 'body-invalid');
    t.match(answer.json.errors, [{ pointer: '/tags/1' }]);
  }
});
