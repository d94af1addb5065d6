import { Type } from '@sinclair/typebox';
import { MAX_TAG_LENGTH, MAX_TAGS } from '../cometchat/conversation.ts';
import type { Fault } from '../http/validation.ts';

// What a tag is, in bodies and queries alike.

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

/** A tag after normalization; tagFaults() has the rules that a schema cannot say. */
export const Tag = Type.String({
  minLength: 1,
  maxLength: MAX_TAG_LENGTH,
  pattern: NO_CONTROLS,
  description: 'text without control characters',
});

/** For openapi.yaml: what holds for every list of tags. */
export const TAG_RULES = `At most ${MAX_TAGS} different tags of 1 to ${MAX_TAG_LENGTH} UTF-16 code units (most emoji count 2), without lone surrogates and with at least one visible character. White space around a tag is trimmed, and the tag is put into Unicode’s form NFC, before it is counted. A repeated tag counts once.`;

/**
 * Trims the tags of a body or query that is not yet checked, and puts them into Unicode's form NFC, so that the schema's limits
 * hold for what is stored. A tag that nobody could see becomes empty. Everything else stays as it is, for the schema to judge.
 *
 * @param names of the fields that hold lists of tags
 */
export function normalizeTags<T>(fields: T, ...names: readonly string[]): T {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return fields;
  const normalized = ([name, value]: [string, unknown]) =>
    names.includes(name) && Array.isArray(value) ? [name, value.map(normalizeTag)] : [name, value];
  return Object.fromEntries(Object.entries(fields).map(normalized)) as T;
}

function normalizeTag(tag: unknown): unknown {
  if (typeof tag !== 'string') return tag;
  const trimmed = tag.trim();
  if (!VISIBLE.test(trimmed)) return '';
  return trimmed.length > MAX_RAW_LENGTH ? trimmed : trimmed.normalize('NFC');
}

/** @returns each tag once, in the order of their first places */
export const different = (tags: readonly string[]): string[] => [...new Set(tags)];

/**
 * Applies the rules that a JSON schema cannot say.
 *
 * @param pointer to the list
 */
export function tagFaults(pointer: string, tags: readonly string[]): Fault[] {
  // The pattern of the schema does not know surrogates.
  const faults: Fault[] = tags.flatMap((tag, index) =>
    tag.isWellFormed()
      ? []
      : [{ pointer: `${pointer}/${index}`, detail: 'must be text without lone surrogates' }],
  );
  const count = different(tags).length;
  if (count > MAX_TAGS) {
    faults.push({ pointer, detail: `must have at most ${MAX_TAGS} different tags, and has ${count}` });
  }
  return faults;
}
