const MAX_DEPTH = 5;
const MAX_FIELDS = 30;
const MAX_LENGTH = 500;
/** Anything else may be a value that stands where names should: a uid, a date, a text. */
const FIELD_NAME = /^[A-Za-z][A-Za-z_]{0,39}$/;
/** Of CometChat's objects, those whose fields have names that it has given. In others (of tags, say) users may have. */
const OF_COMETCHAT = new Set(['data', 'conversationWith', 'lastMessage', 'error', 'meta', 'pagination']);

/**
 * Draws the shape of a JSON document, for an operator who wants to know what has changed: names and types of fields,
 * and no value.
 *
 * @returns text such as `{data:[{createdAt:string,tags:[]}]}`, of 500 characters at most
 */
export function sketch(document: unknown): string {
  const text = draw(document, 0, true);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 3)}...` : text;
}

function draw(value: unknown, depth: number, isNamed: boolean): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (depth === MAX_DEPTH) return '...';
  if (Array.isArray(value)) {
    const kinds = value.slice(0, MAX_FIELDS).map((item) => draw(item, depth + 1, isNamed));
    return `[${[...new Set(kinds)].join('|')}]`;
  }
  const names = Object.keys(value).sort();
  const fields = names.slice(0, MAX_FIELDS).map((name) => {
    const shown = isNamed && FIELD_NAME.test(name) ? name : '*';
    return `${shown}:${draw((value as Record<string, unknown>)[name], depth + 1, isNamed && OF_COMETCHAT.has(name))}`;
  });
  if (names.length > MAX_FIELDS) fields.push('...');
  return `{${fields.join(',')}}`;
}
