import { Text } from './environment.ts';

/** Those of keyboards, word processors and most languages. */
const QUOTE = '["\'`´«»‘-‟‹›′″＂＇]';
/** Control characters, line breaks and what else cannot be seen. */
const INVISIBLE = '\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff';

const BEGINS_WITH_QUOTE = `(?:[^]*,)?\\s*${QUOTE}`;
const ENDS_WITH_QUOTE = `[^]*${QUOTE}\\s*(?:,|$)`;

/** Text, or a comma-separated list of texts, to which what a token says is compared to the letter. */
export const Exact = (what: string) =>
  Text({
    pattern: `^(?!${BEGINS_WITH_QUOTE})(?!${ENDS_WITH_QUOTE})[^${INVISIBLE}]+$`,
    must: `be ${what}, without quotes around it and without line breaks or other invisible characters`,
  });

const QUOTED = new RegExp(`^${QUOTE}[^]*${QUOTE}$`);

/** Whether a text, or an item of a comma-separated list, is in quotes. */
export const isQuoted = (text: string): boolean =>
  [text, ...text.split(',')].some((item) => QUOTED.test(item.trim()));
