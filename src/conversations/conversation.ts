import { type Static, Type } from '@sinclair/typebox';
import { OneOf } from '../base/one-of.ts';
import {
  MAX_CONVERSATIONS_READ,
  MAX_TAGS_READ,
  type UpstreamConversation,
} from '../cometchat/conversation.ts';

export const CONVERSATION_TYPES = ['user', 'group'] as const;

// Without a format, generators of clients take 32 bits.
const INT64 = { minimum: 0, format: 'int64' };
const Seconds = (description: string) =>
  Type.Integer({ ...INT64, description: `${description}, UNIX seconds` });

export const ConversationSchema = Type.Object(
  {
    conversationId: Type.String({ description: 'Opaque' }),
    conversationType: OneOf(CONVERSATION_TYPES),
    tags: Type.Optional(
      Type.Array(Type.String(), {
        maxItems: MAX_TAGS_READ,
        description:
          'Left out where CometChat sends them in an unknown form, and where a change is answered with several conversations without tags',
      }),
    ),
    unreadMessageCount: Type.Optional(Type.Integer(INT64)),
    createdAt: Type.Optional(Seconds('When it began')),
    updatedAt: Type.Optional(Seconds('When it last changed')),
    conversationWith: Type.Union([
      Type.Object(
        { uid: Type.String(), name: Type.Optional(Type.String()), avatar: Type.Optional(Type.String()) },
        { title: 'User' },
      ),
      Type.Object(
        { guid: Type.String(), name: Type.Optional(Type.String()), icon: Type.Optional(Type.String()) },
        { title: 'Group' },
      ),
    ]),
    lastMessage: Type.Optional(
      Type.Object(
        {
          id: Type.String(),
          sender: Type.String({ description: 'uid of the sender' }),
          category: Type.String(),
          type: Type.String(),
          sentAt: Seconds('When it was sent'),
        },
        { title: 'LastMessage' },
      ),
    ),
  },
  { title: 'Conversation' },
);
/** What a client gets of a conversation: an allow-list, so that what CometChat adds tomorrow stays inside. */
export type Conversation = Static<typeof ConversationSchema>;

export const ConversationsSchema = Type.Object(
  { conversations: Type.Array(ConversationSchema, { maxItems: MAX_CONVERSATIONS_READ }) },
  {
    title: 'Conversations',
    description: 'The conversation, or conversations, that CometChat has answered with.',
    // The first as CometChat's SDK reads it, the second made from the example of CometChat's documentation.
    examples: [
      {
        conversations: [
          {
            conversationId: 'cometchat-uid-3_user_cometchat-uid-4',
            conversationType: 'user',
            tags: ['archived', 'vip'],
            unreadMessageCount: 0,
            createdAt: 1630071782,
            updatedAt: 1630481413,
            conversationWith: {
              uid: 'cometchat-uid-3',
              name: 'George Alan',
              avatar: 'https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-3.webp',
            },
            lastMessage: {
              id: '50',
              sender: 'cometchat-uid-3',
              category: 'message',
              type: 'text',
              sentAt: 1630305562,
            },
          },
        ],
      },
      {
        conversations: [
          {
            conversationId: 'group_project-group',
            conversationType: 'group',
            tags: [],
            unreadMessageCount: 0,
            createdAt: 1630071782,
            updatedAt: 1630481413,
            conversationWith: {
              guid: 'project-group',
              name: 'Project Group1',
              icon: 'https://assets.cometchat.io/sampleapp/v2/groups/cometchat-guid-1.webp',
            },
            lastMessage: {
              id: '50',
              sender: 'cometchat-uid-4',
              category: 'action',
              type: 'groupMember',
              sentAt: 1630305562,
            },
          },
        ],
      },
    ],
  },
);

export const ConversationPageSchema = Type.Object(
  {
    conversations: ConversationsSchema.properties.conversations,
    pagination: Type.Object(
      {
        page: Type.Integer({ minimum: 1 }),
        perPage: Type.Integer({ minimum: 1 }),
        hasMore: Type.Boolean({ description: 'Whether there is a next page, as far as CometChat tells' }),
      },
      { title: 'Pagination' },
    ),
  },
  {
    title: 'ConversationPage',
    description: 'A page of the caller’s conversations. CometChat decides their order.',
    examples: [
      {
        conversations: ConversationsSchema.examples[0].conversations,
        pagination: { page: 1, perPage: 50, hasMore: false },
      },
    ],
  },
);

/** Makes the small conversations that clients get out of CometChat's. */
export const slimConversations = (upstream: readonly UpstreamConversation[]): Conversation[] =>
  upstream.map(slim);

function slim(from: UpstreamConversation): Conversation {
  const { conversationId, conversationType, tags, unreadMessageCount, lastMessage } = from;
  return {
    conversationId,
    conversationType,
    ...(tags && { tags: [...tags] }),
    ...(isThere(unreadMessageCount) && { unreadMessageCount: Number(unreadMessageCount) }),
    ...(isThere(from.createdAt) && { createdAt: from.createdAt }),
    ...(isThere(from.updatedAt) && { updatedAt: from.updatedAt }),
    conversationWith: slimPeer(from),
    ...(lastMessage && { lastMessage: slimMessage(lastMessage) }),
  };
}

const isThere = <T>(part: T | null | undefined): part is T => part !== null && part !== undefined;

function slimPeer(from: UpstreamConversation): Conversation['conversationWith'] {
  const { name } = from.conversationWith;
  const named = isThere(name) && { name };
  if (from.conversationType === 'user') {
    const { uid, avatar } = from.conversationWith;
    return { uid, ...named, ...(isThere(avatar) && { avatar }) };
  }
  const { guid, icon } = from.conversationWith;
  return { guid, ...named, ...(isThere(icon) && { icon }) };
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
