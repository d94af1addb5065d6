import { type IncomingMessage, type RequestListener, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Services } from '../base/services.ts';
import { addressOf } from './client-address.ts';
import { Connection } from './connections.ts';
import { newRequestId } from './front-door.ts';
import { problemsTotal } from './problem-replies.ts';

// What Node.js's HTTP server answers, or drops, before Fastify sees a request: here it gets the form of every other error,
// and a line in the log. It always ends the connection.

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers bytes on a socket that are no request, or none that may be served. */
    rejectSocket(socket: Duplex, rejection: Rejection): void;
  }
}

interface Rejection {
  readonly code: ProblemCode;
  /** For the log: what was wrong. */
  readonly type: string;
  readonly detail?: string;
  readonly headers?: Record<string, string>;
  /** The request, where its header fields could be read. */
  readonly request?: IncomingMessage;
}

/** Errors of Node.js's HTTP parser; all others are a malformed request. */
const PROBLEM_BY_SOCKET_CODE: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/**
 * How long a request may take to arrive, and how often that is looked at, in milliseconds. Of Node.js's two limits the longer
 * one holds for the body, so both are the same.
 */
export const timeouts = (requestTimeout: number, connectionsCheckingInterval: number) => ({
  requestTimeout,
  http: { headersTimeout: requestTimeout, connectionsCheckingInterval, requireHostHeader: false },
});

/** RFC 9110, section 7.2. No host has a comma; two that something before the gateway has joined do. */
const isHost = (text: string): boolean => /^(?:\[[\da-f.:]+\]|[\w.~!$&'()*+;=%-]*)(?::\d*)?$/i.test(text);

interface Rule extends Rejection {
  applies(request: IncomingMessage, connection: Connection): boolean;
}

/** Requests that Node.js takes and that are not served, by the first rule that applies. */
const RULES: readonly Rule[] = [
  {
    applies: (_, { isFull }) => isFull,
    code: 'rate-limited',
    type: 'PIPELINING',
    detail: 'Too many requests on this connection wait for their replies. Read these before sending more.',
    headers: { 'retry-after': '1' },
  },
  {
    applies: ({ httpVersion }) => httpVersion !== '1.1' && httpVersion !== '1.0',
    code: 'body-malformed',
    type: 'HTTP_VERSION',
    detail: 'Send HTTP/1.1 or HTTP/1.0.',
  },
  {
    // RFC 9112, section 3.2: without Host, or with two, there is no telling what was meant. HTTP/1.0 needs none.
    applies: ({ httpVersion, headersDistinct: { host = [] } }) =>
      host.length > 1 || (host.length === 0 && httpVersion === '1.1') || !host.every(isHost),
    code: 'body-malformed',
    type: 'HOST',
    detail: 'HTTP/1.1 needs a Host header with one host, and no version takes more than one.',
  },
  {
    // RFC 9112, section 6.1. Where the body ends would be a guess, and something before the gateway may guess otherwise.
    applies: ({ httpVersion, headers: { 'transfer-encoding': coding } }) =>
      coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0'),
    code: 'body-malformed',
    type: 'TRANSFER_ENCODING',
    detail: 'The only Transfer-Encoding that is taken is "chunked", with HTTP/1.1.',
  },
];

/** Fastify's `clientErrorHandler`: bytes that are no HTTP never become a request. */
export function socketErrorHandler(
  this: FastifyInstance,
  error: NodeJS.ErrnoException,
  socket: Duplex,
): void {
  const code = String(error.code);
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = PROBLEM_BY_SOCKET_CODE[code] ?? 'body-malformed';
  this.rejectSocket(socket, { code: problem, type: code });
}

/** Answers what Node.js would answer, or drop, without the app. */
export function handleRawErrors(
  app: FastifyInstance,
  { metrics, seams }: Pick<Services, 'metrics' | 'seams'>,
): void {
  const problems = problemsTotal(metrics);
  const connections = new WeakMap<Duplex, Connection>();
  app.decorate('rejectSocket', (socket, { code, type, request, ...options }) => {
    const connection = connections.get(socket);
    if (!connection || connection.isEnding) return;
    const origin = (request ?? connection.arriving)?.headers.origin ?? originIn(connection.head);
    const problem = new ProblemError(code, options);
    const requestId = newRequestId();
    problems.inc({ code });
    const address = addressOf({ ip: (socket as Socket).remoteAddress, socket: socket as Socket });
    app.log[app.refusals.levelOf(address, code)](
      { requestId, status: problem.status, problem: code, error: { type }, address },
      'no whole request',
    );
    const headers = {
      ...app.responseHeaders,
      ...app.crossOriginHeaders(origin),
      ...problem.headers,
      'x-request-id': requestId,
    };
    connection.end(replyOf(problem, headers, requestId));
  });
  // Fastify's own, which gets the requests that may be served.
  const [serve] = app.server.listeners('request') as [RequestListener];
  app.server.removeAllListeners('request').on('request', (request, response) => {
    const connection = connections.get(request.socket);
    if (!connection || connection.isEnding) return;
    const rejection = RULES.find(({ applies }) => applies(request, connection));
    if (rejection) return app.rejectSocket(request.socket, { ...rejection, request });
    connection.add(request, response);
    serve(request, response);
  });
  // RFC 9110, section 10.1.1: a server may refuse an expectation that it does not know, and may leave it.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.server.on('connection', (socket) => {
    connections.set(socket, new Connection(socket, seams.clock));
    // Node.js forgets the address of a connection that has closed, unless it was asked for before.
    void socket.remoteAddress;
  });
  app.server.on('connect', (request, socket) =>
    app.rejectSocket(socket, { code: 'route-not-found', type: 'CONNECT', request }),
  );
}

/** The origin in header fields that could not be read. */
const originIn = (head: string): string | undefined => /\norigin:[ \t]*([^\s,]+)[ \t]*\r?\n/i.exec(head)?.[1];

/** The bytes of a reply that ends its connection: nobody knows where in the client's bytes a next request would begin. */
function replyOf(
  problem: ProblemError,
  headers: Readonly<Record<string, string>>,
  requestId: string,
): string {
  const body = JSON.stringify(problem.body(requestId));
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
