import t, { type Test } from 'tap';
import type { SandboxOptions } from '../../sandbox/options.ts';
import { KEY, sandboxed } from './sandboxed.ts';

const ME = 'cometchat-uid-1';

interface Item {
  conversationId: string;
  conversationType: string;
  tags?: string[];
  unreadMessageCount: number | string;
  updatedAt: number;
  lastMessage?: object;
}

/** Starts a sandbox, and gives what lists conversations. */
async function listing(t: Test, options: Partial<SandboxOptions> = {}) {
  const { sandbox, call } = await sandboxed(t, options);
  const list = async (query = '', onBehalfOf = ME) => {
    const { json } = await call('GET', `/v3/conversations${query}`, undefined, { onBehalfOf });
    const data: Item[] = json.data;
    return { data, ids: data.map(({ conversationId }) => conversationId), pagination: json.meta.pagination };
  };
  return { sandbox, call, list, world: sandbox.world };
}

t.test('a list has all conversations of a user, newest first', async (t) => {
  const { list } = await listing(t);
  for (const [number, total] of [62, 62, 62, 61, 60].entries()) {
    const { data, ids, pagination } = await list('', `cometchat-uid-${number + 1}`);
    t.same(pagination, { total, count: total, per_page: 100, current_page: 1, total_pages: 1 });
    t.equal(new Set(ids).size, total);
    const times = data.map(({ updatedAt }) => updatedAt);
    t.same(
      times,
      times.toSorted((a, b) => b - a),
    );
    t.ok(new Set(times).size > total - 5, 'hardly two have the same time');
  }
});

t.test('it has no strangers, nobody’s conversation with oneself, and no others’ groups', async (t) => {
  const { list, world } = await listing(t);
  world.update('cometchat-uid-5', 'users', 'cometchat-uid-5', { tags: ['a'] });
  const { ids } = await list('', 'cometchat-uid-5');
  t.ok(ids.includes('cometchat-uid-3_user_cometchat-uid-5'));
  t.ok(ids.includes('group_cometchat-guid-1'));
  t.notOk(ids.includes('cometchat-uid-4_user_cometchat-uid-5'));
  t.notOk(ids.includes('cometchat-uid-5_user_cometchat-uid-5'));
  t.notOk(ids.includes('group_project-group'));
});

t.test('an item is the conversation that a read of it gives', async (t) => {
  const { list, world } = await listing(t);
  world.update(ME, 'users', 'friend-03', { tags: ['a'] });
  const { data } = await list('?withTags=true');
  t.same(
    data.find(({ conversationId }) => conversationId.endsWith('friend-03')),
    {
      ...(world.read(ME, 'users', 'friend-03') as { data: object }).data,
    },
  );
  t.same(
    data.find(({ conversationId }) => conversationId === 'group_project-group'),
    {
      ...(world.read(ME, 'groups', 'project-group') as { data: object }).data,
    },
  );
  t.ok(data.some(({ unreadMessageCount }) => typeof unreadMessageCount === 'string'));
  t.equal(data.filter(({ lastMessage }) => !lastMessage).length, 3);
});

t.test('tags are in the reply only where they are asked for', async (t) => {
  const { list, world } = await listing(t);
  world.update(ME, 'users', 'friend-01', { tags: ['a', 'b'] });
  for (const query of ['', '?withTags=false', '?tags=a']) {
    t.notOk(
      (await list(query)).data.some((item) => 'tags' in item),
      query,
    );
  }
  const { data } = await list('?withTags=true');
  t.ok(data.every(({ tags }) => Array.isArray(tags)));
  t.same(
    data.filter(({ tags }) => tags?.length).map(({ tags }) => tags),
    [['a', 'b']],
  );
});

t.test('a list has the conversations with any of the tags, as this user has put them', async (t) => {
  const { list, world } = await listing(t);
  world.update(ME, 'users', 'friend-01', { tags: ['a', 'b'] });
  world.update(ME, 'users', 'friend-02', { tags: ['b', 'c c'] });
  world.update(ME, 'groups', 'project-group', { tags: ['ü'] });
  world.update('cometchat-uid-2', 'users', 'friend-04', { tags: ['a'] });
  const one = `${ME}_user_friend-01`;
  const two = `${ME}_user_friend-02`;
  const cases: [string, string[]][] = [
    ['a', [one]],
    ['b', [one, two]],
    ['b%2Cunknown', [one, two]],
    ['c+c', [two]],
    ['a,%C3%BC', ['group_project-group', one]],
    ['A', []],
    ['c', []],
  ];
  for (const [tags, ids] of cases) t.same((await list(`?tags=${tags}`)).ids, ids, tags);
  world.update(ME, 'users', 'friend-01', { tags: [] });
  t.same((await list('?tags=a')).ids, []);
  t.same((await list('?tags=a')).pagination, {
    total: 0,
    count: 0,
    per_page: 100,
    current_page: 1,
    total_pages: 1,
  });
});

t.test('a list has those that are unread, or of one type', async (t) => {
  const { list } = await listing(t);
  const unread = await list('?unread=true');
  t.equal(unread.pagination.total, 10);
  t.ok(unread.data.every(({ unreadMessageCount }) => Number(unreadMessageCount) > 0));
  t.equal((await list('?unread=false')).pagination.total, 62);
  const groups = await list('?conversationType=group');
  t.same(groups.ids, ['group_project-group', 'group_cometchat-guid-1']);
  const users = await list('?conversationType=user');
  t.equal(users.pagination.total, 60);
  t.ok(users.data.every(({ conversationType }) => conversationType === 'user'));
  t.equal((await list('?conversationType=group&unread=true')).pagination.total, 0, 'all filters hold');
  t.equal((await list('?unknown=x&page=1')).pagination.total, 62, 'an unknown parameter changes nothing');
});

t.test('the pages have every conversation once', async (t) => {
  const { list } = await listing(t);
  const { ids: all } = await list();
  for (const [perPage, pages] of [
    [1, 62],
    [7, 9],
    [31, 2],
    [62, 1],
    [1000, 1],
  ] as const) {
    const paged: string[] = [];
    for (let page = 1; page <= pages; page += 1) {
      const { ids, pagination } = await list(`?perPage=${perPage}&page=${page}`);
      t.match(pagination, { total: 62, count: ids.length, current_page: page, total_pages: pages });
      paged.push(...ids);
    }
    t.same(paged, all, `${perPage} a page`);
  }
  t.match(await list('?perPage=31&page=3'), { ids: [], pagination: { count: 0, total_pages: 2 } });
});

t.test('total_pages may tell only of the next page', async (t) => {
  const { list } = await listing(t, { totalPages: 'next' });
  for (const [page, total] of [
    [1, 2],
    [2, 3],
    [3, 3],
    [4, 4],
  ]) {
    t.equal((await list(`?perPage=30&page=${page}`)).pagination.total_pages, total);
  }
});

t.test('a wrong value is refused with its name', async (t) => {
  const { call } = await sandboxed(t);
  const wrong = {
    perPage: ['0', '1001', '-1', '1.5', 'many', ''],
    page: ['0', '-1', 'x', ''],
    conversationType: ['both', 'users', ''],
    unread: ['1', 'TRUE'],
    withTags: ['yes'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      t.match(await call('GET', `/v3/conversations?${name}=${value}`), {
        status: 400,
        json: { error: { code: 'ERR_BAD_REQUEST', details: { [name]: [/must be/] } } },
      });
    }
  }
  const { json } = await call('GET', '/v3/conversations?page=0&perPage=0');
  t.same(Object.keys(json.error.details), ['perPage', 'page']);
  t.match(await call('GET', '/v3/conversations', undefined, { onBehalfOf: 'nobody' }), {
    status: 404,
    json: { error: { code: 'ERR_UID_NOT_FOUND' } },
  });
  t.match(await call('PUT', '/v3/conversations'), { json: { error: { code: 'ERR_API_NOT_FOUND' } } });
});

t.test('without onBehalfOf it lists the conversations of everybody', async (t) => {
  const { sandbox, list, world } = await listing(t);
  world.update('cometchat-uid-2', 'users', 'friend-09', { tags: ['secret'] });
  const url = `${sandbox.baseUrl}/conversations?withTags=true&tags=secret`;
  const response = await fetch(url, { headers: { apikey: KEY } });
  t.match(await response.json(), {
    data: [{ conversationId: 'cometchat-uid-2_user_friend-09', tags: ['secret'] }],
    meta: { pagination: { total: 1 } },
  });
  t.equal((await list('?tags=secret')).pagination.total, 0, 'not one of this user’s');
  t.ok((await list('?perPage=10', '')).pagination.total > 5 * 59, 'an empty header is none');
});
