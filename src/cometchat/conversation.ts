import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { Value } from '@sinclair/typebox/value';

// What CometChat's REST API v3 takes and gives: https://www.cometchat.com/docs/rest-api/conversations

/** At most so many tags a conversation, of so many UTF-16 code units each (an emoji counts 2). */
export const MAX_TAGS = 25;
export const MAX_TAG_LENGTH = 100;

/** The form of a uid or guid. CometChat lower-cases ids, so upper-case letters are not part of it. */
export const ID_PATTERN = '^[a-z0-9_-]{1,100}$';
const idPattern = new RegExp(ID_PATTERN);

declare const brand: unique symbol;
/** A uid or guid in its legal form: safe in a path and in a header. */
export type CometChatId = string & { readonly [brand]: 'CometChatId' };

/** @returns the text as an id, or undefined where it is not one */
export function cometChatId(text: string): CometChatId | undefined {
  return idPattern.test(text) ? (text as CometChatId) : undefined;
}

/** Left out or null: CometChat's way of saying that there is none. */
const Absent = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

const User = Type.Object({ uid: Type.String(), name: Type.String(), avatar: Absent(Type.String()) });
const Group = Type.Object({ guid: Type.String(), name: Type.String(), icon: Absent(Type.String()) });

const common = {
  conversationId: Type.String(),
  // One page of CometChat's documentation says string, another integer.
  unreadMessageCount: Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]{1,15}$' })]),
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
  tags: Absent(Type.Array(Type.String())),
  lastMessage: Absent(
    Type.Object({
      id: Type.Union([Type.String(), Type.Integer()]),
      sender: Type.String(),
      category: Type.String(),
      type: Type.String(),
      sentAt: Type.Integer(),
    }),
  ),
};

const ConversationSchema = Type.Union([
  Type.Object({ ...common, conversationType: Type.Literal('user'), conversationWith: User }),
  Type.Object({ ...common, conversationType: Type.Literal('group'), conversationWith: Group }),
]);
/** A conversation as CometChat sends it, as far as the gateway reads it. */
export type UpstreamConversation = Static<typeof ConversationSchema>;

/** Takes everything out of a conversation that the gateway does not read, such as the text of its last message. */
export const withoutUnknown = (conversation: UpstreamConversation): UpstreamConversation =>
  Value.Clean(ConversationSchema, structuredClone(conversation)) as UpstreamConversation;

// The documented example has an array, the OpenAPI file and the SDK one object.
const successReply = TypeCompiler.Compile(
  Type.Object({ data: Type.Union([ConversationSchema, Type.Array(ConversationSchema)]) }),
);
// A code goes into the log, so nothing but a name counts as one.
const errorReply = TypeCompiler.Compile(
  Type.Object({ error: Type.Object({ code: Type.String({ pattern: '^[A-Z][A-Z0-9_]{1,63}$' }) }) }),
);

/** @returns the conversations of a reply, or undefined where it is not of a known form */
export function readConversations(reply: unknown): UpstreamConversation[] | undefined {
  if (!successReply.Check(reply)) return undefined;
  return Array.isArray(reply.data) ? reply.data : [reply.data];
}

/** @returns CometChat's error code (`ERR_UID_NOT_FOUND`), or undefined where the reply has none */
export function readErrorCode(reply: unknown): string | undefined {
  return errorReply.Check(reply) ? reply.error.code : undefined;
}
