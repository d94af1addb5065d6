import t from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { OTHER } from '../helpers/tokens.ts';

t.test('a field that is wrong or unknown is named, and CometChat is not called', async (t) => {
  const { put, refused } = await startGateway(t);
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ conversationType: 'group' }, '/conversationWith', /is required where conversationType is "group"/],
    [{ conversationType: 'channel' }, '/conversationType', /must be one of "user", "group"/],
    [{ conversationType: null }, '/conversationType', /must be one of "user", "group"/],
    [{ conversationWith: 7 }, '/conversationWith', /must be a string/],
    // Some have a meaning to JavaScript.
    ...['tag', 'constructor', 'prototype', 'toString', 'hasOwnProperty', ''].map(
      (name): [Record<string, unknown>, string, RegExp] => [
        { [name]: 1 },
        `/${name}`,
        /is not a field of this request/,
      ],
    ),
  ];
  for (const [fields, pointer, detail] of cases) {
    const answer = await refused(t, () => put({ tags: [], ...fields }), 400, 'body-invalid');
    t.match(answer.json.errors, [{ pointer, detail }], JSON.stringify(fields));
    t.equal(answer.json.errors.length, 1);
  }
});

t.test('a body that is JSON but no object is named as a whole', async (t) => {
  const { put, refused } = await startGateway(t);
  for (const body of ['null', '[]', '"a"', '1', 'true']) {
    const answer = await refused(t, () => put(body), 400, 'body-invalid');
    t.match(answer.json.errors[0], { pointer: '', detail: 'must be a JSON object' });
  }
});

t.test('every field at fault is named', async (t) => {
  const { put, refused } = await startGateway(t);
  const send = () => put({ tags: [1, 'ok', 2], conversationType: 'x' });
  const { json } = await refused(t, send, 400, 'body-invalid');
  const pointers = json.errors.map(({ pointer }: { pointer: string }) => pointer);
  t.strictSame(pointers, ['/tags/0', '/tags/2', '/conversationType']);
});

t.test('a body of thousands of mistakes, or nested deeply, gets a short answer', async (t) => {
  const { put, refused } = await startGateway(t);
  for (const [errors, body] of [
    [10, JSON.stringify({ tags: Array(10_000).fill('') })],
    [10, JSON.stringify({ tags: Array(10_000).fill(1) })],
    [10, JSON.stringify(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`f${index}`, 1])))],
    [1, JSON.stringify({ tags: Array.from({ length: 3000 }, (_, index) => `t${index}`) })],
    [1, '['.repeat(16_000) + ']'.repeat(16_000)],
    [1, `{"tags":${'['.repeat(16_000)}${']'.repeat(16_000)}}`],
    [2, `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`],
  ] as const) {
    const answer = await refused(t, () => put(body), 400, 'body-invalid');
    t.equal(answer.json.errors.length, errors);
    t.ok(answer.text.length < 4000, 'a short answer');
  }
});

t.test('of a repeated field the last one counts, however it is spelt', async (t) => {
  const { put, refused, served, sandbox } = await startGateway(t);
  for (const [body, tags] of [
    [`{"tags":["a"],"tags":["b"],"conversationWith":"${OTHER}"}`, ['b']],
    [`{"tags":[],"tags":["a"],"conversationWith":"${OTHER}"}`, ['a']],
    [`{"tags":1,"tags":["a"],"conversationWith":"${OTHER}"}`, ['a']],
    [`{"tags":["a"],"t\\u0061gs":["b"],"conversationWith":"${OTHER}"}`, ['b']],
    [`{"tags":[],"conversationWith":"cometchat-uid-2","conversationWith" :"${OTHER}"}`, []],
    // Names of fields where none are meant.
    [`{"tags":["tags","a\\":","\\"tags\\":"],"conversationWith":"${OTHER}"}`, ['tags', 'a":', '"tags":']],
  ] as const) {
    await served(t, () => put(body));
    t.match(sandbox.calls.at(-1), {
      path: `/v3/users/${OTHER}/conversation`,
      body: JSON.stringify({ tags }),
    });
  }
  for (const body of ['{"tags":["a"],"tags":1}', '{"tags":[],"tags":[{"a":1,"a":2}]}']) {
    await refused(t, () => put(body), 400, 'body-invalid');
  }
});
