import t from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { ME, OTHER } from '../helpers/tokens.ts';

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
    [['\u0007'], '/tags/0', /without control characters/],
    [['\u200b\u0007'], '/tags/0', /without control characters/],
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

/** Nothing is seen of each of these alone. */
const INVISIBLE = [
  ...['\u0020', '\u00a0', '\u0085', '\u1680', '\u2003', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000'],
  // Zero width, joiners, byte order mark.
  ...['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u180e', '\u034f'],
  // Directions, and other marks for how text is shown.
  ...[
    '\u200e',
    '\u200f',
    '\u061c',
    '\u202a',
    '\u202e',
    '\u2066',
    '\u2069',
    '\u00ad',
    '\u206a',
    '\ufff9',
    '\ufffb',
  ],
  // Invisible operators, musical and hieroglyphic controls, shorthand.
  ...['\u2061', '\u2064', '\u{1d173}', '\u{13430}', '\u{1bca0}'],
  // Fillers, and symbols that are blank.
  ...['\u115f', '\u1160', '\u3164', '\uffa0', '\u17b4', '\u2800', '\ufffc', '\u{1d159}'],
  // Variation selectors, tags, what is set aside for such.
  ...['\ufe00', '\ufe0f', '\u180b', '\u{e0100}', '\u{e0041}', '\u{e007f}', '\u2065', '\ufff0', '\u{e0fff}'],
  // Marks without anything to stand on.
  ...['\u0301', '\u0903', '\u20e3', '\u{16fe4}'],
  // No characters at all.
  ...['\ufffe', '\uffff', '\ufdd0', '\u{10ffff}'],
];

t.test('a tag without a visible character is blank', async (t) => {
  const { put, refused } = await startGateway(t);
  const blank = [...INVISIBLE, ` ${INVISIBLE.join('').slice(0, 60)} `, '\u3164'.repeat(500)];
  for (const tag of blank) {
    const send = () => put({ tags: ['a', tag], conversationWith: OTHER });
    const answer = await refused(t, send, 400, 'body-invalid');
    const detail = 'must not be empty or blank: it needs a visible character';
    t.strictSame(
      answer.json.errors,
      [{ pointer: '/tags/1', detail }],
      `U+${tag.codePointAt(0)?.toString(16)}`,
    );
  }
});

t.test('characters that are invisible stay where others are seen', async (t) => {
  const { put, sandbox } = await startGateway(t);
  const tags = [
    ...INVISIBLE.filter((one) => one.trim() !== '' && one !== '\u0085').map((one) => `x${one}y`),
    // A family, a flag of tags, a heart with its colour, a keycap; Persian and Devanagari that need their joiners.
    ...['👨‍👩‍👧', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '❤️', '1️⃣', 'می‌خواهم', 'क्‍ष'],
    // Private use, an unassigned character, visible ones among those for format, the replacement character.
    ...['\ue000', '\u{f0000}', '\u{1faff}', '\u06dd', '\u0600', '\ufffd', '\u202egnp', '.', '−', '☐'],
  ];
  for (let from = 0; from < tags.length; from += 25) {
    const some = tags.slice(from, from + 25);
    const expected = some.map((tag) => tag.normalize('NFC'));
    const answer = await put({ tags: some, conversationWith: OTHER });
    t.strictSame(answer.json.conversations?.[0].tags, expected);
    t.strictSame(sandbox.world.tags(ME, 'users', OTHER), expected);
  }
});

t.test('a tag is what it looks like: forms that Unicode calls the same are one', async (t) => {
  const { put, sandbox } = await startGateway(t);
  for (const [tags, expected] of [
    [['caf\u00e9', 'cafe\u0301'], ['caf\u00e9']],
    [['cafe\u0301'], ['caf\u00e9']],
    [
      [' e\u0301 ', '\u00e9', 'e'],
      ['\u00e9', 'e'],
    ],
    // Marks in another order, Hangul of letters, the Angstrom and Kelvin signs, a compatibility ideograph.
    [['q\u0307\u0323', 'q\u0323\u0307'], ['q\u0323\u0307']],
    [['\u1112\u1161\u11ab', '\ud55c'], ['\ud55c']],
    [
      ['\u212b', 'A\u030a', '\u212a'],
      ['\u00c5', 'K'],
    ],
    [['\uf900'], ['\u8c48']],
    // These are others, and stay so: ligature, full width, upper case.
    [
      ['ﬁ', 'fi', 'ａ', 'a', 'A'],
      ['ﬁ', 'fi', 'ａ', 'a', 'A'],
    ],
  ] as const) {
    const answer = await put({ tags, conversationWith: OTHER });
    t.strictSame(answer.json.conversations?.[0].tags, expected);
    t.equal(sandbox.calls.at(-1)?.body, JSON.stringify({ tags: expected }));
  }
});

t.test('the limits hold for the form that is stored', async (t) => {
  const { put, refused } = await startGateway(t);
  const letters = (n: number) => Array.from({ length: n }, (_, at) => `e\u0301${at}`);
  for (const tags of [
    ['e\u0301'.repeat(100)],
    // Four units that become one.
    ['\u03b1\u0313\u0300\u0345'.repeat(100)],
    [...letters(25), '\u00e90'],
  ]) {
    const answer = await put({ tags, conversationWith: OTHER });
    t.equal(answer.status, 200);
  }
  for (const [tag, why] of [
    ['e\u0301'.repeat(101), 'too long in either form'],
    ['\u0958'.repeat(51), 'one unit that becomes two'],
    [`a${'\u0323\u0301'.repeat(8000)}`, 'so long that the form is not looked for'],
  ] as const) {
    const answer = await refused(t, () => put({ tags: [tag] }), 400, 'body-invalid');
    t.strictSame(
      answer.json.errors,
      [{ pointer: '/tags/0', detail: 'must have at most 100 UTF-16 code units' }],
      why,
    );
  }
});

t.test('lone surrogates are named, up to ten, beside what else is wrong', async (t) => {
  const { put, refused } = await startGateway(t);
  const tags = Array.from({ length: 30 }, (_, n) => `${n}\ud800`);
  const answer = await refused(t, () => put({ tags }), 400, 'body-invalid');
  t.equal(answer.json.errors.length, 10);
  const both = await refused(
    t,
    () => put({ tags: ['a', '\udc00'], conversationType: 'group' }),
    400,
    'body-invalid',
  );
  t.match(both.json.errors, [{ pointer: '/tags/1' }, { pointer: '/conversationWith' }]);
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
