import { type Static, Type } from '@sinclair/typebox';
import { ID_PATTERN } from '../base/caller.ts';
import { OneOf } from '../base/one-of.ts';
import { MAX_TAG_LENGTH, MAX_TAGS } from '../cometchat/conversation.ts';
import { CONVERSATION_TYPES } from './conversation.ts';

/** No C0 or C1 control character; in a form that JavaScript and engines like RE2 read alike, which know no surrogates. */
const NO_CONTROLS = '^[^\\x00-\\x1f\\x7f-\\x9f]*$';

/**
 * A character that is seen. White space is not, nor are characters that Unicode has for other ones to be shown by, marks
 * that stand on another one, and some blank symbols. What Unicode leaves to apps (private use), or has not assigned yet, is.
 */
const VISIBLE =
  /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{M}\p{Noncharacter_Code_Point}\u2800\ufff9-\ufffc\u{13430}-\u{1343f}\u{1d159}]/u;

/** NFC makes one unit of four at most. What stays too long in any case costs no time. */
const MAX_RAW_LENGTH = 4 * MAX_TAG_LENGTH;

const Tag = Type.String({
  minLength: 1,
  maxLength: MAX_TAG_LENGTH,
  pattern: NO_CONTROLS,
  description: 'text without control characters',
});

export const SetTagsRequestSchema = Type.Object(
  {
    tags: Type.Array(Tag, {
      description: `The whole new set: at most ${MAX_TAGS} different tags of 1 to ${MAX_TAG_LENGTH} UTF-16 code units (most emoji count 2), without lone surrogates and with at least one visible character. White space around a tag is trimmed, and the tag is put into Unicode’s form NFC, before it is counted. A repeated tag counts once, \`[]\` clears the set.`,
    }),
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
  },
  {
    additionalProperties: false,
    title: 'SetTagsRequest',
    examples: [
      { tags: ['archived', 'vip'], conversationWith: 'cometchat-uid-3' },
      { tags: [], conversationWith: 'project-group', conversationType: 'group' },
    ],
  },
);
export type SetTagsRequest = Static<typeof SetTagsRequestSchema>;

/**
 * Trims the tags of a body that is not yet checked, and puts them into Unicode's form NFC, so that the schema's limits hold for
 * what is stored. A tag that nobody could see becomes empty. Everything else stays as it is, for the schema to judge.
 */
export function normalizeTags(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('tags' in body) || !Array.isArray(body.tags))
    return body;
  return { ...body, tags: body.tags.map((tag) => (typeof tag === 'string' ? normalizeTag(tag) : tag)) };
}

function normalizeTag(text: string): string {
  const trimmed = text.trim();
  if (!VISIBLE.test(trimmed)) return '';
  return trimmed.length > MAX_RAW_LENGTH ? trimmed : trimmed.normalize('NFC');
}
