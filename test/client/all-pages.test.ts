import t from 'tap';
import type { ConversationPage } from '../../client/src/index.ts';
import { startClient, TARGET } from './front.ts';

const idsOf = ({ conversations }: ConversationPage) => conversations.map((one) => one.conversationId);

t.test('the iterator gives all pages, each when it is asked for', async (t) => {
  const { chat, front } = await startClient(t);
  const whole = await chat.conversations.page({ perPage: 100 });
  t.notOk(whole.pagination.hasMore);

  const pages: string[][] = [];
  for await (const page of chat.conversations.list({ perPage: 20 })) {
    pages.push(idsOf(page));
    t.equal(front.seen.length, pages.length + 1, 'no page is read ahead');
  }
  t.ok(pages.length > 2);
  t.strictSame(pages.flat(), idsOf(whole));
});

t.test('it begins with the page that is asked for, and ends with the loop', async (t) => {
  const { chat, front } = await startClient(t);
  for await (const { pagination } of chat.conversations.list({ page: 2, perPage: 1 })) {
    t.match(pagination, { page: 2, perPage: 1, hasMore: true });
    break;
  }
  t.equal(front.seen.length, 1);
});

t.test('it ends with an empty page, even if that says that there are more', async (t) => {
  const body = '{"conversations":[],"pagination":{"page":2,"perPage":1,"hasMore":true}}';
  const { chat, front } = await startClient(t, { replies: ['gateway', { status: 200, body }] });
  const pages = [];
  for await (const page of chat.conversations.list({ perPage: 1 })) pages.push(page.conversations.length);
  t.strictSame(pages, [1, 0]);
  t.equal(front.seen.length, 2);
});

t.test('a page that cannot be read ends the loop', async (t) => {
  const { chat } = await startClient(t, { replies: ['gateway', { status: 404 }] });
  const pages = chat.conversations.list({ perPage: 1 });
  await pages.next();
  await t.rejects(pages.next(), { code: 'unknown-reply', status: 404 });
  t.strictSame(await pages.next(), { done: true, value: undefined });
});

t.test('each filter reaches the gateway', async (t) => {
  const { chat, front } = await startClient(t);
  await chat.tags.set(TARGET, ['ä b', 'c']);
  const page = await chat.conversations.page({ tags: ['ä b', 'c'], conversationType: 'user', perPage: 9 });
  t.strictSame(idsOf(page), ['cometchat-uid-3_user_cometchat-uid-4']);
  await chat.conversations.page({ unread: true, page: 2 });
  t.strictSame(
    front.seen.slice(1).map(({ url }) => url.slice(url.indexOf('?'))),
    ['?tags=%C3%A4%20b%2Cc&conversationType=user&perPage=9', '?unread=true&page=2'],
  );
});

t.test('a filter without a value is none', async (t) => {
  const { chat, front } = await startClient(t);
  await chat.conversations.page({ tags: [], unread: false, conversationType: undefined });
  t.equal(front.seen[0]?.url, '/me/conversations');
});

t.test('a filter by an empty tag is not one by none', async (t) => {
  const { chat } = await startClient(t);
  await t.rejects(chat.conversations.page({ tags: [''] }), { code: 'query-invalid' });
});

t.test('a filter by a tag with a comma is refused: the gateway would take it for two', async (t) => {
  const { chat, front } = await startClient(t);
  await t.rejects(chat.conversations.page({ tags: ['a,b'] }), TypeError);
  t.equal(front.seen.length, 0);
});
