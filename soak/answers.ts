import type { Call } from './calls.ts';

/** What an answer says of one conversation. */
export interface Seen {
  /** The uid of the other user, or the guid of the group. */
  readonly other: string;
  readonly tags: readonly string[];
}

export interface Answer {
  /** `200`, the code of a problem, or `odd` where the form is unknown. */
  readonly result: string;
  /** The conversations of a 200. */
  readonly seen: readonly Seen[];
}

/** Reads an answer as an app does that takes nothing on trust. */
export function readAnswer(call: Call, status: number, type: string | undefined, body: string): Answer {
  const document = parse(body);
  if (status === 200) {
    const seen = isPageOf(call, document) ? conversationsOf(document) : undefined;
    if (seen && isAsked(call, seen)) return { result: '200', seen };
  }
  const { code } = document;
  if (status >= 400 && type?.startsWith('application/problem+json') && typeof code === 'string') {
    return { result: code, seen: [] };
  }
  return { result: 'odd', seen: [] };
}

type Document = Record<string, unknown>;

/** @returns undefined where one of them lacks its ids or its tags */
function conversationsOf({ conversations }: Document): Seen[] | undefined {
  if (!Array.isArray(conversations)) return undefined;
  const seen = conversations.flatMap((one): Seen[] => {
    const { conversationId, conversationType, conversationWith, tags } = Object(one) as Document;
    const { uid, guid } = Object(conversationWith) as Document;
    const other = conversationType === 'group' ? guid : uid;
    const isWhole = isText(conversationId) && isText(other) && Array.isArray(tags) && tags.every(isText);
    return isWhole ? [{ other, tags }] : [];
  });
  return seen.length === conversations.length ? seen : undefined;
}

function isPageOf({ page }: Call, { conversations, pagination }: Document): boolean {
  if (!page) return pagination === undefined;
  const told = Object(pagination) as Document;
  const isFull = Array.isArray(conversations) && conversations.length <= page.perPage;
  return (
    isFull && told.page === page.page && told.perPage === page.perPage && typeof told.hasMore === 'boolean'
  );
}

/** All calls but a list are about one conversation. */
const isAsked = ({ page, conversation }: Call, seen: readonly Seen[]): boolean =>
  page !== undefined || (seen.length === 1 && seen[0]?.other === conversation.target.conversationWith);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function parse(body: string): Document {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
