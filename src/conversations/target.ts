import { Type } from '@sinclair/typebox';
import { type Caller, cometChatId, ID_PATTERN } from '../base/caller.ts';
import { OneOf } from '../base/one-of.ts';
import type { Target } from '../cometchat/operations.ts';
import { type Fault, invalid, type Part } from '../http/validation.ts';
import { CONVERSATION_TYPES } from './conversation.ts';
import type { Naming } from './hints.ts';

/** How a body or a query names its conversation, as properties of a schema. */
export const TARGET_FIELDS = {
  conversationWith: Type.Optional(
    Type.String({
      pattern: ID_PATTERN,
      description: '1 to 100 of a-z, 0-9, "-" and "_": the uid of the other user or the guid of the group',
    }),
  ),
  conversationType: Type.Optional(
    OneOf(CONVERSATION_TYPES, {
      // No `default`: generators of clients would then ask for the field.
      description: '`user` where it is left out. `group` needs `conversationWith`.',
    }),
  ),
};

/**
 * @param faults of the rest of the body or query
 * @returns the conversation as CometChat addresses it; without a name it is the caller's own uid
 * @throws ProblemError with those faults and that of the name
 */
export function readTarget(
  part: Part,
  { conversationWith, conversationType: type = 'user' }: Naming,
  { uid }: Caller,
  faults: readonly Fault[] = [],
): Target {
  const nameless =
    type === 'group' && conversationWith === undefined
      ? [{ pointer: '/conversationWith', detail: 'is required where conversationType is "group"' }]
      : [];
  const all = [...faults, ...nameless];
  const id = conversationWith === undefined ? uid : cometChatId(conversationWith);
  if (id === undefined || all.length > 0) throw invalid(part, all);
  return { type, id };
}
