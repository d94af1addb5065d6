import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { type Filter, listConversations } from '../../src/cometchat/operations.ts';

const [example = {}] = DOCUMENTED_REPLY.data;
const list = (filter: Partial<Filter> = {}) => listConversations({ page: 1, perPage: 2, ...filter });

t.test('a list asks for its page, with tags, and for what it is filtered by', async (t) => {
  const cases: [Partial<Filter>, string][] = [
    [{}, 'perPage=2&page=1'],
    [{ page: 3, perPage: 100 }, 'perPage=100&page=3'],
    [{ tags: [] }, 'perPage=2&page=1'],
    [{ tags: ['vip'] }, 'perPage=2&page=1&tags=vip'],
    [{ conversationType: 'group', unread: true }, 'perPage=2&page=1&conversationType=group&unread=true'],
    // The commas between are CometChat's own, and no tag can be more than a tag.
    [{ tags: ['a b', 'c&d=e', 'é#'] }, 'perPage=2&page=1&tags=a%20b,c%26d%3De,%C3%A9%23'],
    [{ tags: ['+%20', '/?\\'] }, 'perPage=2&page=1&tags=%2B%2520,%2F%3F%5C'],
  ];
  for (const [filter, query] of cases) {
    const { method, path, pathTemplate, partner, body } = list(filter);
    t.equal(path, `/conversations?withTags=true&${query}`);
    t.strictSame([method, pathTemplate, partner, body], ['GET', '/conversations', undefined, undefined]);
  }
});

t.test('there is another page where CometChat says so', async (t) => {
  const cases: [total: unknown, current: unknown, hasMore: boolean][] = [
    [2, 1, true],
    [1, 1, false],
    [0, 1, false],
    [9, 3, true],
    [3, 9, false],
    ['2', '1', true],
    ['10', '9', true],
    ['1', 1, false],
    [3, '2', true],
  ];
  for (const [total_pages, current_page, hasMore] of cases) {
    for (const data of [[], [example], [example, example]]) {
      const meta = { pagination: { total_pages, current_page, total: 7, count: 1, per_page: 2 } };
      t.match(list().read({ data, meta }), { value: { hasMore } }, `${total_pages} ${current_page}`);
    }
  }
});

t.test('where it does not, there may be another page after one that came full', async (t) => {
  const unreadable = [
    undefined,
    null,
    [],
    'more',
    {},
    { pagination: null },
    { pagination: {} },
    { pagination: { total_pages: 2 } },
    { pagination: { current_page: 1 } },
    ...[-1, 1.5, '', '-1', '1.5', 'two', null, true, []].flatMap((odd) => [
      { pagination: { total_pages: odd, current_page: 1 } },
      { pagination: { total_pages: 2, current_page: odd } },
    ]),
  ];
  for (const meta of unreadable) {
    const hasMore = (data: unknown[]) => list().read({ data, meta });
    t.match(hasMore([]), { value: { hasMore: false } }, JSON.stringify(meta));
    t.match(hasMore([example]), { value: { hasMore: false } });
    t.match(hasMore([example, example]), { value: { hasMore: true } });
    t.match(hasMore([example, {}]), { value: { hasMore: true } }, 'dropped ones count');
    t.match(hasMore([example, example, example]), { value: { hasMore: true } });
  }
});

t.test('a conversation without its ids is dropped and counted, even where nothing is left', async (t) => {
  const { read } = list();
  const odd = [null, 1, 'x', [], {}, { ...example, conversationId: 5 }, { ...example, conversationWith: {} }];
  for (const one of odd) {
    t.match(read({ data: [one, example] }), { value: { conversations: { length: 1 } }, dropped: 1 });
  }
  const reading = read({ data: odd });
  t.strictSame(reading, { value: { conversations: [], hasMore: true }, dropped: odd.length });
});

t.test('its conversations are read like a single one', async (t) => {
  const { read } = list();
  const data = [example, { ...example, tags: ['vip'] }, { ...example, tags: 'odd', updatedAt: 'odd' }];
  const { updatedAt: _, ...rest } = example;
  t.strictSame(read({ data }), {
    value: {
      conversations: [{ ...example, tags: [] }, { ...example, tags: ['vip'] }, rest],
      hasMore: true,
    },
    leftOut: ['/updatedAt', '/tags'],
  });
  t.strictSame(read({ data: [] }), { value: { conversations: [], hasMore: false } });
});

t.test('a reply without a list is none', async (t) => {
  const { read } = list();
  for (const document of [null, [], {}, { data: null }, { data: example }, { data: 'x' }]) {
    t.match(read(document), { mismatch: /^(?:\/data)?: Expected / });
  }
  t.match(read({ data: Array(1000).fill(example) }), { value: { conversations: { length: 1000 } } });
  t.match(read({ data: Array(1001).fill(example) }), { mismatch: /^\/data: / });
});
