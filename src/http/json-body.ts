import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';

/** 25 tags of 100 UTF-16 code units, each escaped as `\uXXXX`, take 15 KB. */
export const MAX_BODY_BYTES = 32 * 1024;

/** Nothing but this: a tab or a stray `;` in a Content-Type has got bodies past other services' checks. */
const JSON_UTF8 = /^application\/json(?: *; *charset="?utf-8"?)?$/i;

const REPEATED_FIELD = 'The body has a field more than once, and only one value of it can be meant.';

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
      const text = body.toString();
      parse(request, text, (error, value) => {
        const repeats = !error && countKeys(value) !== countNames(text);
        done(repeats ? new ProblemError('body-malformed', { detail: REPEATED_FIELD }) : error, value);
      });
    },
  );
}

/** A string of a JSON text, and the colon behind it where it is the name of a field. */
const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** @returns how many fields a JSON text has, those of all its objects together */
function countNames(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(STRING)) if (colon) names += 1;
  return names;
}

/**
 * @returns how many fields are left of them: JSON.parse() keeps the last of two of the same name, where
 *   another reader may keep the first (RFC 8259, section 4)
 */
function countKeys(value: unknown): number {
  let keys = 0;
  // Not recursive: a body may be nested deeper than the stack.
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== 'object' || next === null) continue;
    const values = Object.values(next);
    if (!Array.isArray(next)) keys += values.length;
    for (const inner of values) rest.push(inner);
  }
  return keys;
}

/** Refuses a request, before its body is read, that does not say that it brings JSON. */
export async function requireJson({ raw }: FastifyRequest): Promise<void> {
  const { 'content-type': [type = '', ...others] = [], 'content-encoding': coding } = raw.headersDistinct;
  if (!JSON_UTF8.test(type) || others.length > 0 || coding !== undefined) {
    throw new ProblemError('media-type-unsupported');
  }
}
