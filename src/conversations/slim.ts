import type { UpstreamConversation } from '../cometchat/conversation.ts';
import type { Conversation } from './schemas.ts';

/**
 * Makes the small conversations that clients get out of CometChat's.
 *
 * @param upstream what CometChat answered
 * @param accepted the tags that it has just accepted: they stand in where it answers with a single
 *   conversation and does not repeat them. Of several, nobody can say which one they belong to.
 */
export function slimConversations(
  upstream: readonly UpstreamConversation[],
  accepted: readonly string[],
): Conversation[] {
  const fallback = upstream.length === 1 ? accepted : undefined;
  return upstream.map((conversation) => slim(conversation, conversation.tags ?? fallback));
}

function slim(from: UpstreamConversation, tags: readonly string[] | undefined): Conversation {
  return {
    conversationId: from.conversationId,
    conversationType: from.conversationType,
    ...(tags && { tags: [...tags] }),
    unreadMessageCount: Number(from.unreadMessageCount),
    createdAt: from.createdAt,
    updatedAt: from.updatedAt,
    conversationWith: slimPeer(from),
    ...(from.lastMessage && { lastMessage: slimMessage(from.lastMessage) }),
  };
}

function slimPeer(from: UpstreamConversation): Conversation['conversationWith'] {
  if (from.conversationType === 'user') {
    const { uid, name, avatar } = from.conversationWith;
    return { uid, name, ...(typeof avatar === 'string' && { avatar }) };
  }
  const { guid, name, icon } = from.conversationWith;
  return { guid, name, ...(typeof icon === 'string' && { icon }) };
}

function slimMessage({
  id,
  sender,
  category,
  type,
  sentAt,
}: NonNullable<UpstreamConversation['lastMessage']>): NonNullable<Conversation['lastMessage']> {
  return { id: String(id), sender, category, type, sentAt };
}
