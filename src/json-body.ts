import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from './problem-error.ts';

/** 25 tags of 100 UTF-16 code units, each escaped as `\uXXXX`, take 15 KB. */
export const MAX_BODY_BYTES = 32 * 1024;

/** Nothing but this: a tab or a stray `;` in a Content-Type has got bodies past other services' checks. */
const JSON_UTF8 = /^application\/json(?: *; *charset="?utf-8"?)?$/i;

/** Gives the app one body parser, for JSON in well-formed UTF-8. */
export function parseJsonOnly(app: FastifyInstance): void {
  // `__proto__` and `constructor.prototype` are errors, as Fastify has it by default.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (request: FastifyRequest, body: Buffer, done) => {
      // Decoding would put U+FFFD in the place of wrong bytes without a word.
      if (!isUtf8(body))
        return done(new ProblemError('body-malformed', { detail: 'The body is not UTF-8.' }));
      parse(request, body.toString(), done);
    },
  );
}

/** Refuses a request, before its body is read, that does not say that it brings JSON. */
export async function requireJson({ raw }: FastifyRequest): Promise<void> {
  const { 'content-type': [type = '', ...others] = [], 'content-encoding': coding } = raw.headersDistinct;
  if (!JSON_UTF8.test(type) || others.length > 0 || coding !== undefined) {
    throw new ProblemError('media-type-unsupported');
  }
}
