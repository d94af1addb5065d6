import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import type { Reading } from './call.ts';

// What CometChat's REST API v3 takes and gives: https://www.cometchat.com/docs/rest-api/conversations

/** Of one conversation, and of one tag in UTF-16 code units (an emoji counts 2). */
export const MAX_TAGS = 25;
export const MAX_TAG_LENGTH = 100;

/** Left out or null: CometChat's way of saying that there is none. */
const Absent = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

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

const UserConversation = Type.Object({
  ...common,
  conversationType: Type.Literal('user'),
  conversationWith: Type.Object({ uid: Type.String(), name: Type.String(), avatar: Absent(Type.String()) }),
});
const GroupConversation = Type.Object({
  ...common,
  conversationType: Type.Literal('group'),
  conversationWith: Type.Object({ guid: Type.String(), name: Type.String(), icon: Absent(Type.String()) }),
});

/** A conversation as CometChat sends it, as far as the gateway reads it. */
export type UpstreamConversation = Static<typeof UserConversation> | Static<typeof GroupConversation>;

const userConversation = TypeCompiler.Compile(UserConversation);
const groupConversation = TypeCompiler.Compile(GroupConversation);
const dataReply = TypeCompiler.Compile(
  Type.Object({ data: Type.Union([Type.Object({}), Type.Array(Type.Object({}))]) }),
);
// A code goes into the log, so nothing but a name counts as one.
const errorReply = TypeCompiler.Compile(
  Type.Object({ error: Type.Object({ code: Type.String({ pattern: '^[A-Z][A-Z0-9_]{1,63}$' }) }) }),
);

/** Reads `data`: an array in CometChat's documented example, one object in its OpenAPI file and its SDK. */
export function readConversations(document: unknown): Reading<UpstreamConversation[]> {
  if (!dataReply.Check(document)) return { mismatch: firstMismatch(dataReply, document, '') };
  const { data } = document;
  const conversations: UpstreamConversation[] = [];
  for (const [index, item] of (Array.isArray(data) ? data : [data]).entries()) {
    const isGroup = 'conversationType' in item && item.conversationType === 'group';
    const schema: TypeCheck<TSchema> = isGroup ? groupConversation : userConversation;
    const path = Array.isArray(data) ? `/data/${index}` : '/data';
    if (!schema.Check(item)) return { mismatch: firstMismatch(schema, item, path) };
    conversations.push(item as UpstreamConversation);
  }
  return { value: conversations };
}

/** @returns CometChat's error code (`ERR_UID_NOT_FOUND`), or undefined where the document has none */
export function readErrorCode(document: unknown): string | undefined {
  return errorReply.Check(document) ? document.error.code : undefined;
}

/** @returns path and expectation, such as `/data/createdAt: Expected integer`: words of the schema's, and no value */
function firstMismatch(schema: TypeCheck<TSchema>, value: unknown, path: string): string {
  const error = schema.Errors(value).First();
  return `${path}${error?.path}: ${error?.message}`;
}
