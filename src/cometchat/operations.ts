import type { CometChatId } from '../base/caller.ts';
import type { Operation, Reading } from './call.ts';
import { readConversations, type UpstreamConversation } from './conversation.ts';

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
  read: readConversations,
});

/**
 * "Get User Conversation", for a change of single tags: what is written is made from what it reads. So the reply must have
 * the conversation that was asked for, and no other. Its tags may be absent, but not in an odd form.
 * https://www.cometchat.com/docs/rest-api/conversations/get-user-conversation
 */
export const getTags = (target: Target): Operation<UpstreamConversation[]> => ({
  method: 'GET',
  ...pathsOf(target),
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
