import { type Static, Type } from '@sinclair/typebox';
import { OneOf } from './one-of.ts';
import { PROBLEMS, type ProblemCode } from './problems.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
const TYPE_PREFIX = 'urn:cometchat-gateway:problem:';

/** So that a body of ten thousand mistakes does not make a reply of as many. */
export const MAX_ERRORS = 10;

/** The body of every error (RFC 9457). */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: `${TYPE_PREFIX}<code>` }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String({ description: 'What happened and what to do' })),
    code: OneOf(Object.keys(PROBLEMS) as ProblemCode[], { description: 'What programs decide by' }),
    requestId: Type.String({ description: 'Also in the gateway’s log and in the header X-Request-Id' }),
    errors: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object(
            {
              pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the body' }),
              detail: Type.String(),
            },
            { title: 'FieldError' },
          ),
          Type.Object(
            { parameter: Type.String({ description: 'Name in the query' }), detail: Type.String() },
            { title: 'ParameterError' },
          ),
        ]),
        { maxItems: MAX_ERRORS },
      ),
    ),
  },
  { $id: 'Problem', title: 'Problem' },
);
export type Problem = Static<typeof ProblemSchema>;
/** What is wrong with a field of the body, or with a parameter of the query. */
export type FieldError = NonNullable<Problem['errors']>[number];

interface ProblemOptions extends ErrorOptions {
  /** Replaces the detail of the row. */
  detail?: string;
  /** The fields or parameters at fault. */
  errors?: FieldError[];
  /** Header fields beside those of the row, by lower-case names. */
  headers?: Record<string, string>;
  /** For the log alone: what went wrong, where that is more exact than the code. */
  errorType?: string;
  /** For the log alone: why a session was refused. */
  reason?: string;
  /** For the log alone: the name of the claim at fault. */
  claim?: string;
}

/** Thrown anywhere below a route; the error handler answers it as `application/problem+json`. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly errors: FieldError[] | undefined;
  readonly errorType: string;
  readonly reason: string | undefined;
  readonly claim: string | undefined;
  readonly #detail: string | undefined;
  readonly #headers: Record<string, string> | undefined;

  /** @param options `cause` is for the log alone, too */
  constructor(
    code: ProblemCode,
    { detail, errors, headers, errorType = code, reason, claim, ...options }: ProblemOptions = {},
  ) {
    // A stack says nothing that the code does not, and taking it costs half of a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(PROBLEMS[code].title, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'ProblemError';
    this.code = code;
    this.errors = errors;
    this.errorType = errorType;
    this.reason = reason;
    this.claim = claim;
    this.#detail = detail;
    this.#headers = headers;
  }

  /** @returns the HTTP status */
  get status(): number {
    return PROBLEMS[this.code].status;
  }

  /** @returns the reply's header fields beside those of every reply: Content-Type, and what the row asks for */
  get headers(): Record<string, string> {
    return { 'content-type': PROBLEM_MEDIA_TYPE, ...PROBLEMS[this.code].headers, ...this.#headers };
  }

  /**
   * @param requestId the id under which the log knows the request
   * @returns the body to send
   */
  body(requestId: string): Problem {
    const { status, title, detail } = PROBLEMS[this.code];
    return {
      type: TYPE_PREFIX + this.code,
      title,
      status,
      detail: this.#detail ?? detail,
      code: this.code,
      requestId,
      ...(this.errors && { errors: this.errors }),
    };
  }
}
