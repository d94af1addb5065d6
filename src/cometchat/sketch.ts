const MAX_DEPTH = 5;
const MAX_FIELDS = 30;
/** Anything else may be a value that stands where names should: a uid, a date, a text. */
const FIELD_NAME = /^[A-Za-z][A-Za-z_]{0,39}$/;

/**
 * Draws the shape of a JSON document, for an operator who wants to know what has changed: names and types of fields,
 * and no value.
 *
 * @returns text such as `{data:[{createdAt:string,tags:[]}]}`
 */
export function sketch(document: unknown, depth = 0): string {
  if (document === null) return 'null';
  if (typeof document !== 'object') return typeof document;
  if (depth === MAX_DEPTH) return '...';
  if (Array.isArray(document)) {
    return `[${[...new Set(document.slice(0, MAX_FIELDS).map((item) => sketch(item, depth + 1)))].join('|')}]`;
  }
  const names = Object.keys(document).sort();
  const fields = names.slice(0, MAX_FIELDS).map((name) => {
    const value = sketch((document as Record<string, unknown>)[name], depth + 1);
    return `${FIELD_NAME.test(name) ? name : '*'}:${value}`;
  });
  if (names.length > MAX_FIELDS) fields.push('...');
  return `{${fields.join(',')}}`;
}
