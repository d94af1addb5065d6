import t from 'tap';

// They are the browser's, whose types are checked on their own.
const part = (name: string) =>
  import(String(new URL(`../../sandbox/page/browser/${name}.ts`, import.meta.url)));
const { addFromBoth } = await part('both');
const { initials, isolated } = await part('format');

const withTags = (...tags: string[]) => ({
  conversationId: 'a_user_b',
  conversationType: 'user',
  conversationWith: { uid: 'b', name: 'Nancy Grace' },
  tags,
});

/** What each of the two devices has after its change and reads after both, and what is said of it. */
const OUTCOMES: readonly [
  after: (ReturnType<typeof withTags> | undefined)[],
  read: ReturnType<typeof withTags> | undefined,
  text: string,
][] = [
  [
    [withTags('phone-1'), withTags('phone-1', 'laptop-1')],
    withTags('phone-1', 'laptop-1'),
    'Both survive: Nancy Grace has phone-1 and laptop-1.',
  ],
  [[undefined, withTags('laptop-1')], withTags('laptop-1'), 'Phone failed.'],
  [[undefined, undefined], undefined, 'Phone and Laptop failed.'],
  [
    [withTags('phone-1'), withTags('laptop-1')],
    undefined,
    'Both changes are made, but Nancy Grace could not be read.',
  ],
  [
    [withTags('phone-1'), withTags('laptop-1')],
    withTags('laptop-1'),
    'Both changes are made, but Nancy Grace no longer has phone-1.',
  ],
];
for (const [after, read, text] of OUTCOMES) {
  t.test(`of two changes at once it is said: ${text}`, async (t) => {
    const devices = ['Phone', 'Laptop'].map((name, index) => ({
      name,
      change: async () => after[index],
      read: async () => read,
    }));
    t.equal((await addFromBoth(devices, withTags(), new Set())).text, text);
  });
}

t.test('friends have initials of their own', async (t) => {
  t.strictSame(['Nancy Grace', 'Friend 10', 'Friend 1', 'Project Group1', ''].map(initials), [
    'NG',
    '10',
    '1',
    'PG',
    '',
  ]);
});

t.test('only what may turn its surroundings round is isolated', async (t) => {
  t.equal(isolated('a tag'), 'a tag');
  t.equal(isolated('\u202ea'), '\u2068\u202ea\u2069');
});
