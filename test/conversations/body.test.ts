import t from 'tap';
import { build, isProblem } from '../helper.ts';

t.test('a field that is wrong or unknown is named, and CometChat is not called', async (t) => {
  const { put, sandbox } = await build(t);
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ tag: ['a'] }, '/tag', /is not a field of this request/],
    [{ conversationType: 'group' }, '/conversationWith', /is required where conversationType is "group"/],
    [{ conversationType: 'channel' }, '/conversationType', /must be one of "user", "group"/],
    [{ conversationType: null }, '/conversationType', /must be one of "user", "group"/],
    [{ conversationWith: 7 }, '/conversationWith', /must be a string/],
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
