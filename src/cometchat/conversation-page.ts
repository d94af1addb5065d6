import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Reading } from './call.ts';
import {
  Count,
  firstMismatch,
  MAX_CONVERSATIONS_READ,
  readItems,
  type UpstreamConversation,
} from './conversation.ts';

/** One page of a user's conversations. */
export interface ConversationPage {
  readonly conversations: UpstreamConversation[];
  readonly hasMore: boolean;
}

const pageReply = TypeCompiler.Compile(
  Type.Object({ data: Type.Array(Type.Unknown(), { maxItems: MAX_CONVERSATIONS_READ }) }),
);
const paginated = TypeCompiler.Compile(
  Type.Object({
    meta: Type.Object({ pagination: Type.Object({ total_pages: Count, current_page: Count }) }),
  }),
);

/**
 * Reads a page of a list. CometChat's pages of documentation disagree about its totals, and agree that there is a next page where
 * `total_pages` is more than `current_page`. Where it tells neither, there may be one after a page that is full.
 */
export function readPage(document: unknown, perPage: number): Reading<ConversationPage> {
  if (!pageReply.Check(document)) return { mismatch: firstMismatch(pageReply, document) };
  const { data } = document;
  const { value: conversations, mismatches: _, ...reading } = readItems(data, []);
  return { ...reading, value: { conversations, hasMore: hasMore(document, data.length >= perPage) } };
}

function hasMore(document: unknown, isFull: boolean): boolean {
  if (!paginated.Check(document)) return isFull;
  const { total_pages: total, current_page: current } = document.meta.pagination;
  return Number(total) > Number(current);
}
