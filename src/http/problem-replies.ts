import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, ProblemError, ProblemSchema } from '../base/problem-error.ts';
import { PROBLEMS, type ProblemCode } from '../base/problems.ts';
import type { Metrics } from '../base/services.ts';
import { MAX_BODY_BYTES } from './body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The problem that the request ended with, for the log. */
    failure: ProblemError | null;
  }
}

/** Fastify's own errors that a client can cause. https://fastify.dev/docs/latest/Reference/Errors/ */
const PROBLEM_BY_FASTIFY_CODE: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_BAD_URL: 'route-not-found',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
};

/** The metric of all problems that were answered. */
export const problemsTotal = (metrics: Metrics) =>
  metrics.counter('problems_total', 'Requests that ended in an error, by the code of the problem', {
    code: Object.keys(PROBLEMS),
  });

/** Answers every error of a request as a problem. Routes that are registered earlier do not know it. */
export function replyWithProblems(app: FastifyInstance): void {
  app.addSchema(ProblemSchema);
  app.decorateRequest('failure', null);
  app.setErrorHandler(replyWithProblem);
}

/**
 * Answers anything that was thrown.
 *
 * It returns nothing, because Fastify would wait for the end of a reply that an error handler returns.
 */
export function replyWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = asProblem(error);
  request.failure = problem;
  if (isLongUpload(request)) reply.header('connection', 'close');
  reply
    .code(problem.status)
    .headers(problem.headers)
    // Fastify's own would add a charset to the media type, which RFC 9457 does not know.
    .serializer((body: Problem) => JSON.stringify(body))
    .send(problem.body(request.id));
}

/** Whether the rest of a body would keep the socket busy for nothing. */
function isLongUpload({ raw: { complete, headers } }: FastifyRequest): boolean {
  const { 'content-length': length = 0, 'transfer-encoding': chunked } = headers;
  return !complete && (chunked !== undefined || Number(length) > MAX_BODY_BYTES);
}

function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const code = PROBLEM_BY_FASTIFY_CODE[(error as Partial<FastifyError> | undefined)?.code ?? ''];
  return new ProblemError(code ?? 'internal', { cause: error });
}
