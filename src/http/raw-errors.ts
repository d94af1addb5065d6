import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { PROBLEM_MEDIA_TYPE, ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';

// What Node.js's HTTP server answers, or drops, before Fastify sees a request: here it gets the form of
// every other error, and a line in the log.

/** Errors of Node.js's HTTP parser; whatever is not listed is a malformed request. */
const PROBLEM_BY_SOCKET_CODE: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** How long a refused client has to read its reply. */
const LINGER_MS = 1000;

/**
 * How long a request may take to arrive, and how often that is looked at, in milliseconds. Of Node.js's two
 * limits the longer one holds for the body, so both are the same.
 */
export const timeouts = (requestTimeout: number, connectionsCheckingInterval: number) => ({
  requestTimeout,
  http: { headersTimeout: requestTimeout, connectionsCheckingInterval, requireHostHeader: false },
});

/** Fastify's `clientErrorHandler`: what is no HTTP never becomes a request. */
export function socketErrorHandler(
  this: FastifyInstance,
  error: NodeJS.ErrnoException,
  socket: Duplex,
): void {
  const code = String(error.code);
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  refuse(this, socket, PROBLEM_BY_SOCKET_CODE[code] ?? 'body-malformed', code);
}

/** Takes the requests that Node.js would answer, or drop, by itself. */
export function answerAtTheEdge(app: FastifyInstance): void {
  // RFC 9112, section 3.2: without Host, or with two, there is no telling what was meant.
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.httpVersion !== '1.1' || raw.headersDistinct.host?.length === 1) return done();
    const detail = 'HTTP/1.1 needs a Host header, and no more than one.';
    done(new ProblemError('body-malformed', { detail }));
  });
  // RFC 9110, section 10.1.1: a server may refuse what it does not know, and may leave it.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  // Node.js forgets the address of a connection that has closed, unless it was asked for before.
  app.server.on('connection', (socket) => void socket.remoteAddress);
  app.server.on('connect', (_request, socket) => refuse(app, socket, 'route-not-found', 'CONNECT'));
}

/** Writes a problem by hand and closes: nobody knows where in the bytes a next request would begin. */
function refuse(app: FastifyInstance, socket: Duplex, code: ProblemCode, type: string): void {
  const problem = new ProblemError(code);
  const requestId = randomUUID();
  const body = JSON.stringify(problem.body(requestId));
  app.metrics.problems.inc({ code });
  app.log.info({ requestId, status: problem.status, problem: code, error: { type } }, 'no whole request');
  // The client may have gone; of a CONNECT's socket nobody else would hear it.
  socket.on('error', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      ...Object.entries(app.responseHeaders).map(([name, value]) => `${name}: ${value}`),
      `content-type: ${PROBLEM_MEDIA_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  // A client that goes on sending, or never closes its side, would hold the socket for ever; one that is
  // cut off at once might never see the reply.
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
