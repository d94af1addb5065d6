import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import got, { type ExtendOptions, type Request, type Response } from 'got';

/** A hint or two may come before the reply (103, say); with more, somebody keeps us busy. */
const MAX_INFORMATIONAL = 8;

/** The reply is not one that anybody here would wait for; `code` says why. */
export class ReplyRefused extends Error {
  readonly code: 'reply_too_large' | 'reply_informational' | 'reply_upgrade';
  constructor(code: ReplyRefused['code']) {
    super(code);
    this.code = code;
  }
}

/** Nobody waits for the reply any more. */
export class BrokenOff extends Error {}

export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** In place of the client's own, in milliseconds. */
  readonly totalMs?: number;
  /** Breaks the call off. */
  readonly signal?: AbortSignal;
}

/** A whole reply. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/**
 * Makes an HTTP client that does one thing once: got without retries, redirects or decompression of its own, with an
 * end to every phase and to every reply.
 *
 * @param limits `totalMs` for a whole call, in milliseconds; `maxBytes` of a reply
 * @returns makes one call and takes the whole reply, whatever its status. It throws got's RequestError where the
 *   connection failed or took too long, ReplyRefused, BrokenOff
 */
export function boundedHttp(
  { totalMs, maxBytes }: { readonly totalMs: number; readonly maxBytes: number },
  options: ExtendOptions = {},
) {
  const client = got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    throwHttpErrors: false,
    timeout: phases(totalMs),
    request: requestLean,
    ...options,
  });
  return (url: string, { totalMs: ownMs = totalMs, signal, ...own }: CallOptions = {}): Promise<Reply> => {
    // Every option of a call is checked and merged, so those that say nothing new are left out. A stream, since got's
    // promises are made of one, and of much beside it.
    const call = client.stream(url, ownMs === totalMs ? own : { ...own, timeout: phases(ownMs) });
    return receive(call, maxBytes, signal);
  };
}

/** got gives Node.js some forty options, most of them undefined, and Node.js copies them three times; these are in use. */
const requestLean: ExtendOptions['request'] = (url, { method, headers, agent }, onResponse) =>
  (url.protocol === 'https:' ? https : http).request(url, { method, headers, agent }, onResponse);

function phases(totalMs: number) {
  // Each shorter than the whole, so that the log tells an unreachable server from a slow one, and that from a slow body.
  // got has more of them, which would be no shorter, and cost a timer each.
  const connecting = Math.ceil((totalMs * 2) / 3);
  return {
    lookup: connecting,
    connect: connecting,
    secureConnect: connecting,
    response: Math.max(1, totalMs - 10),
    request: totalMs,
  };
}

function receive(call: Request, maxBytes: number, signal: AbortSignal | undefined): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const end = (error: Error) => {
    reject(error);
    call.destroy(error);
  };
  const breakOff = () => end(new BrokenOff());
  const pieces: Buffer[] = [];
  let bytes = 0;
  let informational = 0;
  call
    .on('error', reject)
    .on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL) end(new ReplyRefused('reply_informational'));
    })
    // Without a listener Node.js closes the connection, and got waits for a reply until its time is over.
    .on('upgrade', (_reply, socket) => {
      socket.destroy();
      end(new ReplyRefused('reply_upgrade'));
    })
    .on('data', (piece: Buffer) => {
      bytes += piece.length;
      pieces.push(piece);
      if (bytes > maxBytes) end(new ReplyRefused('reply_too_large'));
    })
    .once('end', () => {
      // There is one where there was an end.
      const { statusCode: status, headers } = call.response as Response;
      resolve({ status, headers, body: Buffer.concat(pieces) });
    });
  if (signal?.aborted) breakOff();
  signal?.addEventListener('abort', breakOff);
  return promise.finally(() => signal?.removeEventListener('abort', breakOff));
}
