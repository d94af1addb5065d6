import type { CometChatId } from '../base/caller.ts';
import type { Operation } from './call.ts';
import { readConversations, type UpstreamConversation } from './conversation.ts';

// CometChat's API calls, each as data: nothing below this file knows any of them by name.

/** A conversation as CometChat's paths name it: the one with this user, or of this group. */
export interface Target {
  readonly type: 'user' | 'group';
  readonly id: CometChatId;
}

const TEMPLATES = { user: '/users/{uid}/conversation', group: '/groups/{guid}/conversation' } as const;

/** @returns where a conversation is, and the template for metrics and traces */
export const pathsOf = ({ type, id }: Target) => ({
  path: `/${type}s/${id}/conversation`,
  pathTemplate: TEMPLATES[type],
});

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
