import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { PROBLEM_MEDIA_TYPE, ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Services } from '../base/services.ts';
import { newRequestId } from './front-door.ts';
import { problemsTotal } from './problem-replies.ts';

// What Node.js's HTTP server answers, or drops, before Fastify sees a request: here it gets the form of every other error,
// and a line in the log.

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers the bytes on a socket that are no whole request. @param type of the error, for the log */
    rejectSocket(socket: Duplex, code: ProblemCode, type: string): void;
  }
}

/** Errors of Node.js's HTTP parser; all others are a malformed request. */
const PROBLEM_BY_SOCKET_CODE: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** How long a rejected client has to read its reply. */
const LINGER_MS = 1000;

/**
 * How long a request may take to arrive, and how often that is looked at, in milliseconds. Of Node.js's two limits the longer
 * one holds for the body, so both are the same.
 */
export const timeouts = (requestTimeout: number, connectionsCheckingInterval: number) => ({
  requestTimeout,
  http: { headersTimeout: requestTimeout, connectionsCheckingInterval, requireHostHeader: false },
});

/** Fastify's `clientErrorHandler`: bytes that are no HTTP never become a request. */
export function socketErrorHandler(
  this: FastifyInstance,
  error: NodeJS.ErrnoException,
  socket: Duplex,
): void {
  const code = String(error.code);
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  this.rejectSocket(socket, PROBLEM_BY_SOCKET_CODE[code] ?? 'body-malformed', code);
}

/** Answers what Node.js would answer, or drop, without the app. */
export function handleRawErrors(app: FastifyInstance, { metrics }: Pick<Services, 'metrics'>): void {
  const problems = problemsTotal(metrics);
  app.decorate('rejectSocket', (socket, code, type) => {
    const problem = new ProblemError(code);
    const requestId = newRequestId();
    problems.inc({ code });
    app.log.info({ requestId, status: problem.status, problem: code, error: { type } }, 'no whole request');
    end(socket, problem, { ...app.responseHeaders, 'x-request-id': requestId }, requestId);
  });
  // RFC 9110, section 10.1.1: a server may refuse an expectation that it does not know, and may leave it.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  // Node.js forgets the address of a connection that has closed, unless it was asked for before.
  app.server.on('connection', (socket) => void socket.remoteAddress);
  app.server.on('connect', (_request, socket) => app.rejectSocket(socket, 'route-not-found', 'CONNECT'));
}

/** Writes a problem by hand and closes: nobody knows where in the bytes a next request would begin. */
function end(
  socket: Duplex,
  problem: ProblemError,
  headers: Readonly<Record<string, string>>,
  requestId: string,
): void {
  const body = JSON.stringify(problem.body(requestId));
  // The client may have gone; of a CONNECT's socket nobody else would hear it.
  socket.on('error', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      `content-type: ${PROBLEM_MEDIA_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  // A client that goes on sending, or never closes its side, would hold the socket for ever; one that is cut off at once
  // might never see the reply.
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
