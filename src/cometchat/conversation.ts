import { type Static, type TSchema, Type, TypeGuard } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { ValuePointer } from '@sinclair/typebox/value';
import type { Reading } from './call.ts';

// What CometChat's REST API v3 takes and gives: https://www.cometchat.com/docs/rest-api/conversations

/** Of one conversation, and of one tag in UTF-16 code units (an emoji counts 2). */
export const MAX_TAGS = 25;
export const MAX_TAG_LENGTH = 100;

/** Bounds of a reply. CometChat's longest list has a thousand conversations; of tags it may have more than it takes. */
export const MAX_CONVERSATIONS_READ = 1000;
export const MAX_TAGS_READ = 1000;

/** A part that a conversation can be without. Null is CometChat's way of saying that there is none. */
const Part = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));
const Id = Type.String({ minLength: 1 });
/** A number where one page of CometChat's documentation says string, another integer. */
export const Count = Type.Union([
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  Type.String({ pattern: '^[0-9]{1,15}$' }),
]);
/** In UNIX seconds; more digits are milliseconds. */
const Time = Type.Integer({ minimum: 0, maximum: 99_999_999_999 });

const common = {
  conversationId: Id,
  unreadMessageCount: Part(Count),
  createdAt: Part(Time),
  updatedAt: Part(Time),
  tags: Part(Type.Array(Type.String(), { maxItems: MAX_TAGS_READ })),
  // Whole or not at all.
  lastMessage: Part(
    Type.Object({
      id: Type.Union([Type.String(), Type.Integer()]),
      sender: Type.String(),
      category: Type.String(),
      type: Type.String(),
      sentAt: Time,
    }),
  ),
};

const UserConversation = Type.Object({
  ...common,
  conversationType: Type.Literal('user'),
  conversationWith: Type.Object({ uid: Id, name: Part(Type.String()), avatar: Part(Type.String()) }),
});
const GroupConversation = Type.Object({
  ...common,
  conversationType: Type.Literal('group'),
  conversationWith: Type.Object({ guid: Id, name: Part(Type.String()), icon: Part(Type.String()) }),
});

/** A conversation as CometChat sends it, as far as the gateway reads it. */
export type UpstreamConversation = Static<typeof UserConversation> | Static<typeof GroupConversation>;

/** JSON pointers to the parts of a conversation that are left out where CometChat sends them in an odd form. */
export const PARTS: readonly string[] = [
  ...new Set(
    [UserConversation, GroupConversation].flatMap(({ properties }) => [
      ...partsOf(properties, ''),
      ...partsOf(properties.conversationWith.properties, '/conversationWith'),
    ]),
  ),
];

function partsOf(properties: Readonly<Record<string, TSchema>>, path: string): string[] {
  const parts = Object.entries(properties).filter(([, schema]) => TypeGuard.IsOptional(schema));
  return parts.map(([name]) => `${path}/${name}`);
}

const userConversation = TypeCompiler.Compile(UserConversation);
const groupConversation = TypeCompiler.Compile(GroupConversation);
const dataReply = TypeCompiler.Compile(
  Type.Object({
    data: Type.Union([Type.Object({}), Type.Array(Type.Unknown(), { maxItems: MAX_CONVERSATIONS_READ })]),
  }),
);
// A code goes into the log, so nothing but a name counts as one.
const errorReply = TypeCompiler.Compile(
  Type.Object({ error: Type.Object({ code: Type.String({ pattern: '^[A-Z][A-Z0-9_]{1,63}$' }) }) }),
);

/**
 * Reads `data`: an array in CometChat's documented example, one object in its OpenAPI file and its SDK. A conversation that is
 * alone and lacks its type or ids is a mismatch, and so is an array of which nothing is left.
 *
 * @param absentTags see readItems()
 */
export function readConversations(
  document: unknown,
  absentTags?: readonly string[],
): Reading<UpstreamConversation[]> {
  if (!dataReply.Check(document)) return { mismatch: firstMismatch(dataReply, document) };
  const { data } = document;
  const isArray = Array.isArray(data);
  const { mismatches, ...reading } = readItems(isArray ? data : [data], absentTags);
  const [first] = mismatches;
  if (!first || reading.value.length > 0) return reading;
  return { mismatch: (isArray ? `/data/${first.index}` : '/data') + first.mismatch };
}

/**
 * Reads conversations. Parts in an odd form are left out, and a conversation without its type and ids is dropped.
 *
 * @param absentTags what stands in for tags that CometChat does not send; those in an odd form are left out all the same
 */
export function readItems(items: readonly unknown[], absentTags?: readonly string[]) {
  const value: UpstreamConversation[] = [];
  const leftOut = new Set<string>();
  const mismatches: { readonly index: number; readonly mismatch: string }[] = [];
  for (const [index, item] of items.entries()) {
    const reading = readConversation(item, absentTags);
    if ('mismatch' in reading) {
      mismatches.push({ index, mismatch: reading.mismatch });
    } else {
      value.push(reading.value);
      for (const part of reading.leftOut ?? []) leftOut.add(part);
    }
  }
  return {
    value,
    ...(leftOut.size > 0 && { leftOut: [...leftOut] }),
    ...(mismatches.length > 0 && { dropped: mismatches.length }),
    mismatches,
  };
}

function readConversation(
  item: unknown,
  absentTags: readonly string[] | undefined,
): Reading<UpstreamConversation> {
  if (typeof item !== 'object' || item === null) return { mismatch: ': Expected object' };
  const isGroup = 'conversationType' in item && item.conversationType === 'group';
  const schema: TypeCheck<TSchema> = isGroup ? groupConversation : userConversation;
  const sent = item as UpstreamConversation;
  const read = absentTags ? { ...sent, tags: sent.tags ?? [...absentTags] } : sent;
  if (schema.Check(read as unknown)) return { value: read };
  const value = { ...read, conversationWith: { ...read.conversationWith } } as UpstreamConversation;
  const leftOut: string[] = [];
  for (const { path, message } of schema.Errors(read)) {
    if (!PARTS.includes(path)) return { mismatch: `${path}: ${message}` };
    ValuePointer.Delete(value, path);
    leftOut.push(path);
  }
  return { value, leftOut };
}

/** @returns CometChat's error code (`ERR_UID_NOT_FOUND`), or undefined where the document has none */
export function readErrorCode(document: unknown): string | undefined {
  return errorReply.Check(document) ? document.error.code : undefined;
}

/** @returns path and expectation, such as `/data: Expected union value`: words of the schema's, and no value */
export function firstMismatch(schema: TypeCheck<TSchema>, value: unknown): string {
  const error = schema.Errors(value).First();
  return `${error?.path}: ${error?.message}`;
}
