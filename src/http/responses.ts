import type { TSchema } from '@sinclair/typebox';
import { PROBLEM_MEDIA_TYPE, ProblemError, ProblemSchema } from '../base/problem-error.ts';
import { PROBLEMS, type ProblemCode } from '../base/problems.ts';

const HEADERS = {
  'X-Request-Id': {
    type: 'string',
    format: 'uuid',
    description: 'The id of the request in the gateway’s log',
  },
  'RateLimit-Policy': {
    type: 'string',
    description: 'The limit that the request counted for, such as `"user";q=120;w=60`: 120 in 60 seconds',
  },
  RateLimit: {
    type: 'string',
    description: 'What is left of it, such as `"user";r=119;t=42`: 119 in the next 42 seconds',
  },
  'Retry-After': {
    type: 'integer',
    minimum: 1,
    description: 'Seconds to wait before the next attempt; with 502 only where CometChat has named a time',
  },
  'WWW-Authenticate': { type: 'string', description: 'The challenge of RFC 6750' },
  Allow: { type: 'string', description: 'The methods that the address takes, with commas between' },
} as const;
type Header = keyof typeof HEADERS;

/** What replies of this status have beside what all have. */
const HEADERS_BY_STATUS: Readonly<Record<number, readonly Header[]>> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  429: ['Retry-After'],
  502: ['Retry-After'],
  503: ['Retry-After'],
};
/** The requests that these answer are refused before they count for a limit. */
const NEVER_COUNTED: ReadonlySet<number> = new Set([405, 408, 431]);

interface Responses<T> {
  /** The body of a 200. */
  readonly success: T;
  /** What the route can answer else. */
  readonly problems: readonly ProblemCode[];
  /** Whether its requests count for the limit of a user or an address. */
  readonly isCounted: boolean;
}

/** The response schemas of a route. They document its problems, one entry a status with all its codes, and its header fields. */
export function responses<T extends TSchema>({ success, problems, isCounted }: Responses<T>) {
  const byStatus = Object.groupBy(problems, (code) => PROBLEMS[code].status);
  return {
    200: { ...success, headers: headersOf(200, isCounted) },
    ...Object.fromEntries(
      Object.entries(byStatus).map(([status, codes = []]) => [
        status,
        { ...problemResponse(codes), headers: headersOf(Number(status), isCounted) },
      ]),
    ),
  };
}

function headersOf(status: number, isCounted: boolean) {
  const names: Header[] = ['X-Request-Id', ...(HEADERS_BY_STATUS[status] ?? [])];
  if (isCounted && !NEVER_COUNTED.has(status)) names.push('RateLimit-Policy', 'RateLimit');
  return Object.fromEntries(names.map((name) => [name, HEADERS[name]]));
}

const problemResponse = (codes: readonly ProblemCode[]) => ({
  description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join('\n\n'),
  content: {
    [PROBLEM_MEDIA_TYPE]: {
      schema: { $ref: `${ProblemSchema.$id}#` },
      examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
    },
  },
});

const example = (code: ProblemCode) => new ProblemError(code).body('5f0c8f9e-4f2b-4b0e-9d2c-7a1b3c5d7e9f');
