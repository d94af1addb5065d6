import { PROBLEM_MEDIA_TYPE, ProblemError, ProblemSchema } from '../base/problem-error.ts';
import { PROBLEMS, type ProblemCode } from '../base/problems.ts';

const HEADERS_BY_STATUS: Readonly<Record<number, { name: string; description: string }>> = {
  401: { name: 'WWW-Authenticate', description: 'The challenge of RFC 6750' },
  405: { name: 'Allow', description: 'The methods that the address takes' },
  429: { name: 'Retry-After', description: 'Seconds to wait' },
  502: { name: 'Retry-After', description: 'Seconds to wait, where CometChat has named any' },
  503: { name: 'Retry-After', description: 'Seconds to wait' },
};

/**
 * The part of a route's response schemas that documents its problems: one entry a status, with all its codes.
 *
 * @param codes what the route can answer
 */
export function problemResponses(codes: readonly ProblemCode[]) {
  const byStatus = Object.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, group = []]) => [status, response(Number(status), group)]),
  );
}

function response(status: number, codes: readonly ProblemCode[]) {
  const header = HEADERS_BY_STATUS[status];
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join('\n\n'),
    ...(header && { headers: { [header.name]: { type: 'string', description: header.description } } }),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: { $ref: `${ProblemSchema.$id}#` },
        examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
      },
    },
  };
}

const example = (code: ProblemCode) => new ProblemError(code).body('5f0c8f9e-4f2b-4b0e-9d2c-7a1b3c5d7e9f');
