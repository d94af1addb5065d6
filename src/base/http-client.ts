import type { IncomingHttpHeaders } from 'node:http';
import type { LookupFunction } from 'node:net';
import got, { type RequestError, type Response } from 'got';
import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { Exchange, ExchangeError } from './exchange.ts';

/** No connection is used again after this, so that a name which moves to another address is followed. */
const MAX_CONNECTION_AGE_MS = 60_000;

export interface ExchangeOptions {
  readonly method?: 'GET' | 'PUT';
  readonly headers?: Record<string, string>;
  readonly body?: string | undefined;
  /** For this exchange, in milliseconds. */
  readonly totalMs?: number;
  /** Of the reply's body. */
  readonly maxBytes?: number;
  /** Cuts the exchange off. */
  readonly signal?: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

interface HttpClientOptions {
  /** For an exchange that does not set its own; maxBytes are of the reply's body. */
  readonly totalMs: number;
  readonly maxBytes: number;
  /** How names are looked up; Node.js' own way unless given. */
  readonly lookup?: LookupFunction | undefined;
}

export interface HttpClient {
  /**
   * Sends one request, and reads the whole reply. A reply of any status is no error.
   *
   * @throws ExchangeError
   */
  send(url: string, options?: ExchangeOptions): Promise<Reply>;
  /** Closes the connections, those in use as well. */
  close(): void;
}

/**
 * Whether outgoing calls go through a proxy: Node.js' own variable, for its own clients.
 * https://nodejs.org/api/cli.html#node_use_env_proxy1
 */
export const usesProxy = (): boolean => process.env.NODE_USE_ENV_PROXY === '1';

/**
 * Makes an HTTP client that does one thing once: got without retries, redirects or decompression, over connections of
 * undici's, with limits on time and bytes.
 *
 * @param url whose origin it sends to
 */
export function httpClient(url: string, { totalMs, maxBytes, lookup }: HttpClientOptions): HttpClient {
  const connections = connectionsTo(url, totalMs, lookup);
  const client = got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    throwHttpErrors: false,
  });
  return {
    send(url, { method = 'GET', headers = {}, body, signal, ...own } = {}) {
      const exchange = new Exchange(own.totalMs ?? totalMs, own.maxBytes ?? maxBytes);
      // A stream, because got's promises are made of one, and of much beside it.
      const call = client.stream(url, {
        method,
        headers,
        body,
        request: ({ origin, pathname, search }, { headers }) =>
          exchange.begin(connections, {
            origin,
            path: pathname + search,
            method,
            headers: headers as IncomingHttpHeaders,
            body: body ?? null,
          }),
      });
      const cutOff = () => exchange.fail('client_gone');
      if (signal?.aborted) cutOff();
      signal?.addEventListener('abort', cutOff);
      return new Promise<Reply>((resolve, reject) => {
        const pieces: Buffer[] = [];
        call
          .on('error', ({ code }: RequestError) => reject(new ExchangeError(code)))
          .on('data', (piece: Buffer) => pieces.push(piece))
          .once('end', () => {
            const { statusCode: status, headers } = call.response as Response;
            resolve({ status, headers, body: Buffer.concat(pieces) });
          });
      }).finally(() => signal?.removeEventListener('abort', cutOff));
    },
    close: () => void connections.destroy(),
  };
}

function connectionsTo(url: string, totalMs: number, lookup: HttpClientOptions['lookup']): Dispatcher {
  const options: Pool.Options = {
    connect: { timeout: totalMs, ...(lookup && { lookup }) },
    // These may be half a second late. An exchange keeps its own time.
    headersTimeout: 0,
    bodyTimeout: 0,
    clientTtl: MAX_CONNECTION_AGE_MS,
    keepAliveTimeout: MAX_CONNECTION_AGE_MS,
    keepAliveMaxTimeout: MAX_CONNECTION_AGE_MS,
  };
  if (!usesProxy()) return new Pool(new URL(url).origin, options);
  return new EnvHttpProxyAgent({
    ...options,
    clientFactory: (proxy, its) => connectionsToProxy(new Pool(proxy, { ...its, headersTimeout: totalMs })),
  });
}

/** undici asks again, at once and without end, for a tunnel that the proxy has answered by hanging up. */
function connectionsToProxy(proxy: Pool): Pool {
  const connect = proxy.connect.bind(proxy);
  const connectOnce = (options: Dispatcher.ConnectOptions) =>
    connect(options).catch(({ code }) => {
      throw new ExchangeError(String(code).replace('UND_ERR_SOCKET', 'proxy_refused'));
    });
  return Object.assign(proxy, { connect: connectOnce });
}
