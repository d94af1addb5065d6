import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import got, { type ExtendOptions, type Request, type RequestError, type Response, TimeoutError } from 'got';

/** A hint or two may come before the reply (103, for example). More of them only keep the gateway busy. */
const MAX_INFORMATIONAL = 8;

/** No connection is used again after this, so that a name which moves to another address is followed. */
const MAX_CONNECTION_AGE_MS = 60_000;

/**
 * No whole reply came. `code` says why: a code of Node.js', `timeout_<phase>`, `reply_too_large`, `reply_informational`,
 * `reply_upgrade`, or `client_gone` where `signal` was aborted. got's own errors hold the headers of the request, with the
 * key, so they never leave this file.
 */
export class ExchangeError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export interface ExchangeOptions {
  readonly method?: 'GET' | 'PUT';
  readonly headers?: Record<string, string>;
  readonly body?: string | undefined;
  /** For this exchange, in milliseconds. */
  readonly totalMs?: number;
  /** Cuts the exchange off. */
  readonly signal?: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/**
 * Sends one request, and reads the whole reply. A reply of any status is no error.
 *
 * @throws ExchangeError
 */
export type HttpClient = (url: string, options?: ExchangeOptions) => Promise<Reply>;

/** Connections that are kept between exchanges. */
export interface Connections {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/**
 * @param lookup how names are looked up; Node.js' own way unless given
 * @param now a clock that never jumps, in milliseconds
 */
export function keptConnections(lookup?: LookupFunction, now = () => performance.now()): Connections {
  const options = { keepAlive: true, ...(lookup && { lookup }) };
  const connections = { http: new http.Agent(options), https: new https.Agent(options) };
  for (const agent of Object.values(connections)) forgetOldConnections(agent, now);
  return connections;
}

/**
 * Makes an HTTP client that does one thing once: got without retries, redirects or decompression, with a limit on the time
 * of each phase and on the bytes of each reply.
 *
 * @param limits `totalMs` for an exchange that does not set its own; `maxBytes` of a reply
 * @param connections Node.js' own unless given
 */
export function httpClient(
  { totalMs, maxBytes }: { readonly totalMs: number; readonly maxBytes: number },
  connections?: Connections,
): HttpClient {
  const client = got.extend({
    ...(connections && { agent: connections }),
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    throwHttpErrors: false,
    timeout: phases(totalMs),
    request: requestLean,
  });
  return (url, { totalMs: ownMs = totalMs, signal, ...own } = {}) => {
    // got checks and merges every option of a call, so the usual timeouts are not given again. A stream, because got's
    // promises are made of one, and of much beside it.
    const call = client.stream(url, ownMs === totalMs ? own : { ...own, timeout: phases(ownMs) });
    return receive(call, maxBytes, signal);
  };
}

/** got gives Node.js some forty options, most of them undefined, and Node.js copies them three times. */
const requestLean: ExtendOptions['request'] = (url, { method, headers, agent }, onResponse) =>
  (url.protocol === 'https:' ? https : http).request(url, { method, headers, agent }, onResponse);

function phases(totalMs: number) {
  // Each shorter than the whole, so that the log tells an unreachable server from a slow one, and that from a slow body.
  const connecting = Math.ceil((totalMs * 2) / 3);
  return {
    lookup: connecting,
    connect: connecting,
    secureConnect: connecting,
    response: Math.max(1, totalMs - 10),
    request: totalMs,
  };
}

/** https://nodejs.org/api/http.html#agentkeepsocketalivesocket */
function forgetOldConnections(agent: http.Agent, now: () => number): void {
  const firstFree = new WeakMap<Duplex, number>();
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean;
  agent.keepSocketAlive = (socket: Duplex): boolean => {
    const since = firstFree.get(socket) ?? now();
    firstFree.set(socket, since);
    return now() - since < MAX_CONNECTION_AGE_MS && keep(socket);
  };
}

function receive(call: Request, maxBytes: number, signal: AbortSignal | undefined): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const end = (code: string) => {
    const error = new ExchangeError(code);
    reject(error);
    call.destroy(error);
  };
  const cutOff = () => end('client_gone');
  const pieces: Buffer[] = [];
  let bytes = 0;
  let informational = 0;
  call
    .on('error', (error: RequestError) => reject(new ExchangeError(codeOf(error))))
    .on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL) end('reply_informational');
    })
    // Without a listener Node.js closes the connection, and got waits for a reply until its time is over.
    .on('upgrade', (_reply, socket) => {
      socket.destroy();
      end('reply_upgrade');
    })
    .on('data', (piece: Buffer) => {
      bytes += piece.length;
      pieces.push(piece);
      if (bytes > maxBytes) end('reply_too_large');
    })
    .once('end', () => {
      const { statusCode: status, headers } = call.response as Response;
      resolve({ status, headers, body: Buffer.concat(pieces) });
    });
  if (signal?.aborted) cutOff();
  signal?.addEventListener('abort', cutOff);
  return promise.finally(() => signal?.removeEventListener('abort', cutOff));
}

const codeOf = (error: RequestError): string =>
  error instanceof TimeoutError ? `timeout_${error.event}` : error.code;
