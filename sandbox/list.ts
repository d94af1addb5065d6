import type { Conversation } from './documents.ts';
import { Refusal } from './world.ts';

/**
 * What `total_pages` says: the number of all pages, or `current_page + 1` where there is a next page and `current_page`
 * where there is none. CometChat's public pages have both.
 */
export type TotalPages = 'all' | 'next';

const isBoolean = (value: string): boolean => value === 'true' || value === 'false';
const isIntegerTo = (maximum: number) => (value: string) =>
  /^[0-9]{1,10}$/.test(value) && Number(value) >= 1 && Number(value) <= maximum;

const CHECKS: Readonly<Record<string, { fits: (value: string) => boolean; must: string }>> = {
  conversationType: { fits: (value) => value === 'user' || value === 'group', must: 'be user or group' },
  unread: { fits: isBoolean, must: 'be true or false' },
  withTags: { fits: isBoolean, must: 'be true or false' },
  perPage: { fits: isIntegerTo(1000), must: 'be an integer from 1 to 1000' },
  page: { fits: isIntegerTo(999_999_999), must: 'be an integer of 1 or more' },
};

/** @returns the body of the reply to `GET /conversations`: one page of those that the query asks for */
export function listReply(all: readonly Conversation[], query: URLSearchParams, totalPages: TotalPages) {
  checkQuery(query);
  const found = all.filter(filterOf(query));
  const page = Number(query.get('page') ?? 1);
  const perPage = Number(query.get('perPage') ?? 100);
  const data = found.slice((page - 1) * perPage, page * perPage);
  // A list without items has one page.
  const pages = Math.max(1, Math.ceil(found.length / perPage));
  const pagination = {
    total: found.length,
    count: data.length,
    per_page: perPage,
    current_page: page,
    total_pages: totalPages === 'all' ? pages : page + Number(page < pages),
  };
  const isWithTags = query.get('withTags') === 'true';
  return { data: isWithTags ? data : data.map(({ tags: _, ...others }) => others), meta: { pagination } };
}

function checkQuery(query: URLSearchParams): void {
  const wrong = Object.entries(CHECKS).filter(([name, { fits }]) => {
    const value = query.get(name);
    return value !== null && !fits(value);
  });
  if (wrong.length === 0) return;
  const details = Object.fromEntries(wrong.map(([name, { must }]) => [name, [`The ${name} must ${must}.`]]));
  throw new Refusal(400, 'ERR_BAD_REQUEST', 'Failed to validate the data sent with the request.', details);
}

/** Of several tags, any one will do. */
function filterOf(query: URLSearchParams): (conversation: Conversation) => boolean {
  const type = query.get('conversationType');
  const isUnread = query.get('unread') === 'true';
  const wanted = (query.get('tags') ?? '').split(',').filter((tag) => tag !== '');
  return ({ conversationType, unreadMessageCount, tags }) =>
    (type === null || conversationType === type) &&
    (!isUnread || Number(unreadMessageCount) > 0) &&
    (wanted.length === 0 || wanted.some((tag) => tags.includes(tag)));
}
