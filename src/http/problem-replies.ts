import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, ProblemError, ProblemSchema } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import { logRequest } from '../operations/request-log.ts';
import { MAX_BODY_BYTES } from './json-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request ended with, for the log. */
    failure: ProblemError | null;
  }
}

/** Fastify's own errors that a client can cause. https://fastify.dev/docs/latest/Reference/Errors/ */
const PROBLEM_BY_FASTIFY_CODE: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_BAD_URL: 'route-not-found',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body-malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body-malformed',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
};

/** Answers every error of a request as a problem. A route that is older than this call would not know. */
export function answerWithProblems(app: FastifyInstance): void {
  app.addSchema(ProblemSchema);
  app.decorateRequest('failure', null);
  app.setErrorHandler(answer);
}

/** Refuses unknown addresses and wrong methods, before any body is read: nobody is going to look at it. */
export function refuseUnrouted(app: FastifyInstance): void {
  // A list of our own: Fastify's hasRoute() takes an address for a route's pattern, and would compile
  // whatever regular expression a stranger asks for.
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    methods.set(url, (methods.get(url) ?? new Set()).union(new Set([method].flat())));
  });
  app.addHook('onRequest', (request, _reply, done) => {
    // The CORS plugin's route for all preflights is no address of this API.
    if (!request.is404 && request.routeOptions.url !== '*') return done();
    const [path = ''] = request.url.split('?', 1);
    const allowed = methods.get(path);
    if (!allowed) return done(new ProblemError('route-not-found'));
    done(new ProblemError('method-not-allowed', { headers: { allow: [...allowed].join(', ') } }));
  });
}

/** Fastify's `frameworkErrors`: no hook sees these requests. */
export function answerUnrouted(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  logRequest(request, reply);
  reply.headers(request.server.responseHeaders);
  if (request.server.shutdown.isDraining) reply.header('connection', 'close');
  answer(error, request, reply);
}

/** One reply for whatever was thrown. */
function answer(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asProblem(error);
  request.failure = problem;
  if (isLongUpload(request)) reply.header('connection', 'close');
  return (
    reply
      .code(problem.status)
      .headers(problem.headers)
      // Fastify's own would add a charset to the media type, which RFC 9457 does not know.
      .serializer((body: Problem) => JSON.stringify(body))
      .send(problem.body(request.id))
  );
}

/** Whether a body is still on the way that nobody is going to read, and that would keep the socket busy. */
function isLongUpload({ raw: { complete, headers } }: FastifyRequest): boolean {
  const { 'content-length': length = 0, 'transfer-encoding': chunked } = headers;
  return !complete && (chunked !== undefined || Number(length) > MAX_BODY_BYTES);
}

function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const code = PROBLEM_BY_FASTIFY_CODE[(error as Partial<FastifyError> | undefined)?.code ?? ''];
  return new ProblemError(code ?? 'internal', { cause: error });
}
