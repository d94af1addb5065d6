import { type Static, Type } from '@sinclair/typebox';
import { ID_PATTERN } from '../base/caller.ts';
import { MAX_TAG_LENGTH, MAX_TAGS } from '../cometchat/conversation.ts';
import { ConversationType } from './conversation.ts';

/** No C0 or C1 control character, and surrogates only in pairs; the same with and without the `u` flag. */
const TAG_PATTERN =
  '^(?:[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])*$';

const Tag = Type.String({
  minLength: 1,
  maxLength: MAX_TAG_LENGTH,
  pattern: TAG_PATTERN,
  description: 'text without control characters and lone surrogates',
});

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
