import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify';
import { itemsOf } from '../base/parse-list.ts';
import { ProblemError } from '../base/problem-error.ts';

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
