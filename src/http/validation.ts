import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler, type ValueError, ValueErrorType } from '@sinclair/typebox/compiler';
import { type FieldError, ProblemError } from '../base/problem-error.ts';

/** Enough to mend a body by; a body of ten thousand mistakes does not make a reply of as many. */
const MAX_ERRORS = 10;

/**
 * Fastify's validator compiler. It takes TypeBox's own checks instead of Ajv's: nothing is coerced or
 * dropped, and lengths are counted in UTF-16 code units, as CometChat counts them.
 *
 * @returns a function that gives the value back as it is, or a `body-invalid` problem
 */
export function validatorCompiler({ schema }: { schema: TSchema }) {
  const compiled = TypeCompiler.Compile(schema);
  return (value: unknown) =>
    compiled.Check(value)
      ? { value }
      : { error: new ProblemError('body-invalid', { errors: fieldErrors(compiled.Errors(value)) }) };
}

/** One entry a field, the first rule that it breaks. */
function fieldErrors(errors: Iterable<ValueError>): FieldError[] {
  const byPointer = new Map<string, string>();
  for (const error of errors) {
    if (!byPointer.has(error.path)) byPointer.set(error.path, explain(error));
    if (byPointer.size === MAX_ERRORS) break;
  }
  return [...byPointer].map(([pointer, detail]) => ({ pointer, detail }));
}

function explain({ type, schema, message }: ValueError): string {
  switch (type) {
    case ValueErrorType.Object:
      return 'must be a JSON object';
    case ValueErrorType.ObjectRequiredProperty:
      return 'is required';
    case ValueErrorType.ObjectAdditionalProperties:
      return 'is not a field of this request';
    case ValueErrorType.Array:
      return 'must be an array';
    case ValueErrorType.String:
      return 'must be a string';
    case ValueErrorType.StringMinLength:
      return 'must not be empty or blank';
    case ValueErrorType.StringMaxLength:
      return `must have at most ${schema.maxLength} UTF-16 code units`;
    case ValueErrorType.StringPattern:
      return `must be ${schema.description}`;
    case ValueErrorType.Union:
      return `must be one of ${schema.anyOf.map(({ const: value }: TSchema) => JSON.stringify(value)).join(', ')}`;
    /* c8 ignore next 2 -- no schema of a request has another rule; the text is TypeBox's if one gets one */
    default:
      return message;
  }
}
