import { type Static, Type } from '@sinclair/typebox';
import { ID_PATTERN, MAX_TAG_LENGTH, MAX_TAGS } from '../cometchat/conversation.ts';

/** No C0 or C1 control character, and surrogates only in pairs; the same with and without the `u` flag. */
const TAG_PATTERN =
  '^(?:[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])*$';

const Tag = Type.String({
  minLength: 1,
  maxLength: MAX_TAG_LENGTH,
  pattern: TAG_PATTERN,
  description: 'text without control characters and lone surrogates',
});

const ConversationType = Type.Union([Type.Literal('user'), Type.Literal('group')]);

export const TagsBodySchema = Type.Object(
  {
    tags: Type.Array(Tag, {
      description: `The whole new set: at most ${MAX_TAGS} different tags of 1 to ${MAX_TAG_LENGTH} UTF-16 code units (most emoji count 2). White space around a tag is trimmed, a repeated tag counts once, \`[]\` clears the set.`,
    }),
    conversationWith: Type.Optional(
      Type.String({
        pattern: ID_PATTERN,
        description: '1 to 100 of a-z, 0-9, "-" and "_": the uid of the other user or the guid of the group',
      }),
    ),
    conversationType: Type.Optional(
      Type.Union(ConversationType.anyOf, {
        default: 'user',
        description: '`group` needs `conversationWith`.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'TagsBody',
    examples: [
      { tags: ['archived', 'vip'], conversationWith: 'cometchat-uid-3' },
      { tags: [], conversationWith: 'project-group', conversationType: 'group' },
    ],
  },
);
export type TagsBody = Static<typeof TagsBodySchema>;

const Seconds = (description: string) => Type.Integer({ description: `${description}, UNIX seconds` });

export const ConversationSchema = Type.Object(
  {
    conversationId: Type.String({ description: 'Opaque' }),
    conversationType: ConversationType,
    tags: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Left out where several conversations come back and CometChat does not tell their tags',
      }),
    ),
    unreadMessageCount: Type.Integer(),
    createdAt: Seconds('When it began'),
    updatedAt: Seconds('When it last changed'),
    conversationWith: Type.Union([
      Type.Object(
        { uid: Type.String(), name: Type.String(), avatar: Type.Optional(Type.String()) },
        { title: 'User' },
      ),
      Type.Object(
        { guid: Type.String(), name: Type.String(), icon: Type.Optional(Type.String()) },
        { title: 'Group' },
      ),
    ]),
    lastMessage: Type.Optional(
      Type.Object({
        id: Type.String(),
        sender: Type.String({ description: 'uid of the sender' }),
        category: Type.String(),
        type: Type.String(),
        sentAt: Seconds('When it was sent'),
      }),
    ),
  },
  { title: 'Conversation' },
);
/** What a client gets of a conversation: an allow-list, so that what CometChat adds tomorrow stays inside. */
export type Conversation = Static<typeof ConversationSchema>;

export const ConversationsSchema = Type.Object(
  { conversations: Type.Array(ConversationSchema) },
  {
    title: 'Conversations',
    description:
      'CometChat has accepted the tags; the conversation, or conversations, that it answered with.',
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
