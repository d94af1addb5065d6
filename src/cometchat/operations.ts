import type { CometChatId } from '../base/caller.ts';
import type { Operation, Reading } from './call.ts';
import { readConversations, type UpstreamConversation } from './conversation.ts';
import { type ConversationPage, readPage } from './conversation-page.ts';

// CometChat's API calls, each as data: nothing below this file knows any of them by name.

/** A conversation as CometChat's paths name it: the one with this user, or of this group. */
export interface Target {
  readonly type: 'user' | 'group';
  readonly id: CometChatId;
}

const TEMPLATES = { user: '/users/{uid}/conversation', group: '/groups/{guid}/conversation' } as const;

/** @returns where a conversation is, and the template for metrics and traces; the circuit breaker knows its partner by the path */
export function pathsOf({ type, id }: Target) {
  const path = `/${type}s/${id}/conversation`;
  return { path, partner: path, pathTemplate: TEMPLATES[type] };
}

/**
 * "Update User Conversation": replaces the tags that the user who acts has put on a conversation.
 * https://www.cometchat.com/docs/rest-api/conversations/update-user-conversation
 */
export const setTags = (target: Target, tags: readonly string[]): Operation<UpstreamConversation[]> => ({
  method: 'PUT',
  ...pathsOf(target),
  body: JSON.stringify({ tags }),
  read: (document) => withTags(readConversations(document), tags),
});

/** Where CometChat does not repeat the tags that it has just accepted, they stand in. */
function withTags(
  reading: Reading<UpstreamConversation[]>,
  tags: readonly string[],
): Reading<UpstreamConversation[]> {
  if ('mismatch' in reading) return reading;
  const { value, dropped = 0 } = reading;
  // Of several conversations, nobody can say which one the tags belong to.
  if (value.length + dropped !== 1) return reading;
  return { ...reading, value: value.map((one) => ({ ...one, tags: one.tags ?? [...tags] })) };
}

/**
 * "Get User Conversation": a conversation as the user who acts sees it. One that comes without tags has none, as in CometChat's
 * SDK.
 * https://www.cometchat.com/docs/rest-api/conversations
 */
export const getConversation = (target: Target): Operation<UpstreamConversation[]> => ({
  method: 'GET',
  ...pathsOf(target),
  read: (document) => readConversations(document, []),
});

/**
 * The same for a merge, which makes what it writes from what it reads. So the reply must have the conversation that was asked for,
 * and no other. Its tags may be absent, but not in an odd form.
 */
export const getForMerge = (target: Target): Operation<UpstreamConversation[]> => ({
  ...getConversation(target),
  read: (document) => onlyThis(target, readConversations(document)),
});

function onlyThis({ type, id }: Target, reading: Reading<UpstreamConversation[]>): typeof reading {
  if ('mismatch' in reading) return reading;
  const { value, dropped = 0, leftOut = [] } = reading;
  const [conversation] = value;
  if (!conversation || value.length + dropped > 1) return { mismatch: '/data: Expected one conversation' };
  const { conversationType, conversationWith } = conversation;
  const found = 'uid' in conversationWith ? conversationWith.uid : conversationWith.guid;
  if (conversationType !== type || found !== id) {
    return { mismatch: '/data/conversationWith: Expected the conversation that was asked for' };
  }
  return leftOut.includes('/tags') ? { mismatch: '/data/tags: Expected array of strings' } : reading;
}

/** Which of the user's conversations are listed. */
export interface Filter {
  readonly tags?: readonly string[] | undefined;
  readonly conversationType?: Target['type'] | undefined;
  /** Only those with unread messages. */
  readonly unread?: true | undefined;
  /** From 1 on. */
  readonly page: number;
  readonly perPage: number;
}

/** The documented conversation has 3 KB. */
const MAX_CONVERSATION_BYTES = 20 * 1024;

/**
 * "List Conversations": a page of the conversations of the user who acts.
 * https://www.cometchat.com/docs/rest-api/conversations
 */
export const listConversations = (filter: Filter): Operation<ConversationPage> => ({
  method: 'GET',
  path: `/conversations?${queryOf(filter).join('&')}`,
  pathTemplate: '/conversations',
  maxReplyBytes: filter.perPage * MAX_CONVERSATION_BYTES,
  read: (document) => readPage(document, filter.perPage),
});

function queryOf({ tags = [], conversationType, unread, page, perPage }: Filter): string[] {
  const query = ['withTags=true', `perPage=${perPage}`, `page=${page}`];
  // One list, with commas between that are not encoded.
  if (tags.length > 0) query.push(`tags=${tags.map((tag) => encodeURIComponent(tag)).join()}`);
  if (conversationType) query.push(`conversationType=${conversationType}`);
  if (unread) query.push('unread=true');
  return query;
}
