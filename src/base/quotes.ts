import { itemsOf } from './parse-list.ts';

/** Those of keyboards, word processors and most languages. */
const QUOTE = '["\'`´«»‘-‟‹›′″＂＇]';
const IN_QUOTES = new RegExp(`^${QUOTE}[^]*${QUOTE}$`);
const AT_AN_END = new RegExp(`^${QUOTE}|${QUOTE}$`);
/** Line breaks, other control characters, and what else cannot be seen. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Whether a text, or an item of a comma-separated list, is in quotes, which somebody has meant for a shell. */
export const isQuoted = (text: string): boolean =>
  [text.trim(), ...itemsOf(text)].some((item) => IN_QUOTES.test(item));

/** Whether a text can be what it is compared to, to the letter: it has no quote at an end, and nothing that cannot be seen. */
export const isExact = (text: string): boolean =>
  text !== '' && !AT_AN_END.test(text) && !INVISIBLE.test(text);
