import { isUtf8 } from 'node:buffer';
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler, type ValueError, ValueErrorType } from '@sinclair/typebox/compiler';
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify';
import { itemsOf } from '../base/parse-list.ts';
import { type FieldError, MAX_ERRORS, ProblemError } from '../base/problem-error.ts';

/** 25 tags of 100 UTF-16 code units, each escaped as `\uXXXX`, take 15 KB. */
export const MAX_BODY_BYTES = 32 * 1024;

/** Nothing else: a tab or a stray `;` in a Content-Type has got bodies past other services' checks. */
const JSON_UTF8 = /^application\/json(?: *; *charset=(?:utf-?8|"utf-?8"))?$/i;
/** No coding at all. A list may have empty members (RFC 9110, section 5.6.1). */
const NO_CODING: ReadonlySet<string> = new Set(['', 'identity']);

/** Gives the app one body parser, for JSON in well-formed UTF-8. */
export function parseJsonOnly(app: FastifyInstance): void {
  // `__proto__` and `constructor.prototype` are errors, as Fastify has it by default.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (request: FastifyRequest, body: Buffer, done) => {
      const refuse = (detail: string) => done(new ProblemError('body-malformed', { detail }));
      // Decoding would put U+FFFD in the place of wrong bytes without a word.
      if (!isUtf8(body)) return refuse('The body is not UTF-8.');
      const text = body.toString();
      parse(request, text, (error, value) => (error ? refuse(whyNoJson(text)) : done(null, value)));
    },
  );
}

/** @returns why Fastify's parser, which says no more than that, has not taken the text */
function whyNoJson(text: string): string {
  if (text.trim() === '') return 'The body is empty. Send a JSON object.';
  // A byte order mark does no harm.
  const json = text.replace(/^\ufeff/, '');
  try {
    JSON.parse(json);
  } catch {
    return 'The body is not JSON. Look for quotes, commas or brackets that are missing or too many.';
  }
  return 'The body has a field named "__proto__", or "constructor" with a "prototype" in it. Leave it out.';
}

/** Rejects a request, before its body is read, that does not say that it brings JSON. */
export const requireJson: onRequestHookHandler = ({ raw }, _reply, done) => {
  const { 'content-type': [type = '', ...others] = [], 'content-encoding': codings = [] } =
    raw.headersDistinct;
  const isPlain = itemsOf(codings.join()).every((coding) => NO_CODING.has(coding.toLowerCase()));
  const isJson = JSON_UTF8.test(type) && others.length === 0 && isPlain;
  done(isJson ? undefined : new ProblemError('media-type-unsupported'));
};

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
      return 'must not be empty or blank: it needs a visible character';
    case ValueErrorType.StringMaxLength:
      return `must have at most ${schema.maxLength} UTF-16 code units`;
    case ValueErrorType.StringPattern:
      return `must be ${schema.description}`;
    // OneOf of base/.
    case ValueErrorType.Kind:
      return `must be one of ${schema.enum.map((value: string) => JSON.stringify(value)).join(', ')}`;
    /* c8 ignore next 2 -- no schema of a request has another rule; the text is TypeBox's if one gets one */
    default:
      return message;
  }
}
