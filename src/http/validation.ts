import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler, type ValueError, ValueErrorType } from '@sinclair/typebox/compiler';
import { type FieldError, MAX_ERRORS, ProblemError } from '../base/problem-error.ts';

/** A rule that a request breaks. */
export interface Fault {
  /** JSON pointer into the body, or into the query as it was read: `/tags/1`. */
  readonly pointer: string;
  readonly detail: string;
}

/** The parts of a request that have a schema, by Fastify's names, and how their faults are told. */
const PARTS = {
  body: { problem: 'body-invalid', member: 'field', entryOf: (fault: Fault): FieldError => fault },
  querystring: { problem: 'query-invalid', member: 'parameter', entryOf: ofParameter },
} as const;
export type Part = keyof typeof PARTS;

/** @returns the problem of a part of a request that breaks rules: the first ten are told */
export const invalid = (part: Part, faults: readonly Fault[]): ProblemError =>
  new ProblemError(PARTS[part].problem, { errors: faults.slice(0, MAX_ERRORS).map(PARTS[part].entryOf) });

function ofParameter({ pointer, detail }: Fault): FieldError {
  const [, name = '', index] = pointer.split('/');
  const parameter = name.replaceAll('~1', '/').replaceAll('~0', '~');
  return { parameter, detail: index === undefined ? detail : `item ${Number(index) + 1} ${detail}` };
}

/**
 * Fastify's validator compiler. It takes TypeBox's own checks instead of Ajv's: nothing is coerced or
 * dropped, and lengths are counted in UTF-16 code units, as CometChat counts them.
 *
 * @returns a function that gives the value back as it is, or a `body-invalid` or `query-invalid` problem
 */
export function validatorCompiler({ schema, httpPart }: { schema: TSchema; httpPart?: string }) {
  const compiled = TypeCompiler.Compile(schema);
  const part = httpPart === 'querystring' ? httpPart : 'body';
  return (value: unknown) =>
    compiled.Check(value) ? { value } : { error: invalid(part, faultsOf(compiled.Errors(value), part)) };
}

/** One fault a field, the first rule that it breaks. */
function faultsOf(errors: Iterable<ValueError>, part: Part): Fault[] {
  const byPointer = new Map<string, string>();
  for (const error of errors) {
    if (!byPointer.has(error.path)) byPointer.set(error.path, explain(error, part));
    if (byPointer.size === MAX_ERRORS) break;
  }
  return [...byPointer].map(([pointer, detail]) => ({ pointer, detail }));
}

function explain({ type, schema, message }: ValueError, part: Part): string {
  switch (type) {
    case ValueErrorType.Object:
      return 'must be a JSON object';
    case ValueErrorType.ObjectRequiredProperty:
      return 'is required';
    case ValueErrorType.ObjectAdditionalProperties:
      return `is not a ${PARTS[part].member} of this request`;
    case ValueErrorType.Array:
      return 'must be an array';
    case ValueErrorType.String:
      return 'must be a string';
    case ValueErrorType.StringMinLength:
      return 'must not be empty or blank: it needs a visible character';
    case ValueErrorType.StringMaxLength:
      return `must have at most ${schema.maxLength} UTF-16 code units`;
    case ValueErrorType.StringPattern:
      return `must be ${schema.description}`;
    case ValueErrorType.Integer:
    case ValueErrorType.IntegerMaximum:
      return `must be a whole number from ${schema.minimum} to ${schema.maximum}, in digits alone and without zeros before it`;
    case ValueErrorType.Literal:
      return `must be ${schema.const} or left out`;
    // OneOf of base/.
    case ValueErrorType.Kind:
      return `must be one of ${schema.enum.map((value: string) => JSON.stringify(value)).join(', ')}`;
    /* c8 ignore next 2 -- no schema of a request has another rule; the text is TypeBox's if one gets one */
    default:
      return message;
  }
}
