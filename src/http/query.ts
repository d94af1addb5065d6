import type { TObject } from '@sinclair/typebox';
import { type FieldError, MAX_ERRORS, ProblemError } from '../base/problem-error.ts';

/** What the text of a parameter becomes, by the type in its schema. Text that is none of it stays, for the schema to refuse. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  integer: (text) => (/^[1-9][0-9]*$/.test(text) ? Number(text) : text),
  boolean: (text) => text === 'true' || text,
  // A comma always separates, whether it is encoded or not.
  array: (text) => text.split(','),
};

/**
 * Reads the query of an address, to be checked by its schema. Parameters that the schema does not know are left for it to refuse.
 *
 * @throws ProblemError `query-invalid` that names each parameter that is repeated, empty or wrongly encoded
 */
export function readQuery(url: string, { properties }: TObject): Record<string, unknown> {
  const values = new Map<string, unknown>();
  const faults = new Map<string, string>();
  // Fastify takes what is behind a number sign for a query, too.
  const [, query = ''] = /[?#](.*)/.exec(url) ?? [];
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [rawName = '', ...rest] = pair.split('=');
    const name = decode(rawName);
    const text = decode(rest.join('='));
    if (name === undefined || text === undefined) {
      faults.set(name ?? rawName, 'must be percent-encoded UTF-8');
    } else if (!Object.hasOwn(properties, name)) {
      values.set(name, text);
    } else if (text === '') {
      faults.set(name, 'must not be empty: leave it out instead');
    } else if (values.has(name)) {
      faults.set(name, 'must not be repeated');
    } else {
      values.set(name, READERS[properties[name]?.type]?.(text) ?? text);
    }
  }
  if (faults.size === 0) return Object.fromEntries(values);
  const errors = [...faults].map(([parameter, detail]): FieldError => ({ parameter, detail }));
  throw new ProblemError('query-invalid', { errors: errors.slice(0, MAX_ERRORS) });
}

/** Decodes as HTML forms encode: `+` is a space. @returns undefined where it is not percent-encoded UTF-8 */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
