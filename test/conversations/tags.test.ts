import t from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { OTHER } from '../helpers/tokens.ts';

t.test('tags that break a rule: a problem that names the tag and the rule, and no call', async (t) => {
  const { put, refused } = await startGateway(t);
  const cases: [unknown, string, RegExp][] = [
    [undefined, '/tags', /is required/],
    [null, '/tags', /must be an array/],
    ['a', '/tags', /must be an array/],
    [{ 0: 'a' }, '/tags', /must be an array/],
    [Array.from({ length: 26 }, (_, n) => `t${n}`), '/tags', /at most 25 different tags, and has 26/],
    [['a', ''], '/tags/1', /must not be empty or blank/],
    [['a', ' \t\n\u00a0\u2028\u3000'], '/tags/1', /must not be empty or blank/],
    [['x'.repeat(101)], '/tags/0', /at most 100 UTF-16 code units/],
    [['😀'.repeat(51)], '/tags/0', /at most 100 UTF-16 code units/],
    [['a\u0000b'], '/tags/0', /without control characters/],
    [['a\nb'], '/tags/0', /without control characters/],
    [['a\u0007'], '/tags/0', /without control characters/],
    [['a\u007f'], '/tags/0', /without control characters/],
    [['a\u0085b'], '/tags/0', /without control characters/],
    [['\ud83d'], '/tags/0', /lone surrogates/],
    [['a\udc00b'], '/tags/0', /lone surrogates/],
    [['\ude00\ud83d'], '/tags/0', /lone surrogates/],
    [['a', 1], '/tags/1', /must be a string/],
    [['a', null], '/tags/1', /must be a string/],
    [[['a']], '/tags/0', /must be a string/],
  ];
  for (const [tags, pointer, detail] of cases) {
    const send = () => put({ tags, conversationWith: OTHER });
    const answer = await refused(t, send, 400, 'body-invalid');
    t.match(answer.json.errors, [{ pointer, detail }]);
    t.equal(answer.json.errors.length, 1);
  }
});

t.test(
  'white space around a tag is trimmed, and a repeated tag counts once, at its first place',
  async (t) => {
    const { put, sandbox } = await startGateway(t);
    const answer = await put({ tags: [' b ', 'a', '\tb\n', 'a b', 'a'], conversationWith: OTHER });
    t.strictSame(answer.json.conversations[0].tags, ['b', 'a', 'a b']);
    t.equal(sandbox.calls[0]?.body, '{"tags":["b","a","a b"]}');
  },
);

t.test('26 tags of which two are the same are 25', async (t) => {
  const { put } = await startGateway(t);
  const tags = Array.from({ length: 25 }, (_, n) => `t${n}`);
  t.equal((await put({ tags: [...tags, 't0'] })).status, 200);
});

t.test(
  '25 tags of 100 units pass, emoji and CJK included, even when the client escapes every unit',
  async (t) => {
    const { put, sandbox } = await startGateway(t);
    const tags = Array.from(
      { length: 25 },
      (_, n) => `${'😀'.repeat(49)}${String.fromCharCode(0x4e00 + n, 0x6f22)}`,
    );
    t.ok(tags.every(({ length }) => length === 100));
    const escaped = JSON.stringify({ tags, conversationWith: OTHER }).replace(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    for (const body of [escaped, { tags, conversationWith: OTHER }]) {
      const answer = await put(body);
      t.equal(answer.status, 200);
      t.strictSame(answer.json.conversations[0].tags, tags);
    }
    t.strictSame(JSON.parse(sandbox.calls[0]?.body ?? ''), { tags });
  },
);
