import { Type } from '@sinclair/typebox';
import { PROBLEM_MEDIA_TYPE, PROBLEMS, type ProblemCode, ProblemError, ProblemSchema } from './problem.ts';

const HEADER_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'www-authenticate': 'The challenge of RFC 6750',
  'retry-after': 'Seconds to wait',
};

/**
 * The part of a route's response schemas that documents its problems: one entry a status, with all its codes.
 *
 * @param codes what the route can answer
 */
export function problemResponses(codes: readonly ProblemCode[]) {
  const byStatus = Object.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, group = []]) => [status, response(group)]),
  );
}

function response(codes: readonly ProblemCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join('\n\n'),
    headers: headersOf(codes),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: Type.Composite([
          ProblemSchema,
          Type.Object({ code: Type.Unsafe<ProblemCode>({ type: 'string', enum: codes }) }),
        ]),
        examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
      },
    },
  };
}

const example = (code: ProblemCode) => new ProblemError(code).body('5f0c8f9e-4f2b-4b0e-9d2c-7a1b3c5d7e9f');

function headersOf(codes: readonly ProblemCode[]) {
  const names = codes.flatMap((code) => Object.keys(new ProblemError(code).headers));
  return Object.fromEntries(
    names.flatMap((name) => {
      const description = HEADER_DESCRIPTIONS[name];
      return description ? [[name, { type: 'string', description }]] : [];
    }),
  );
}
