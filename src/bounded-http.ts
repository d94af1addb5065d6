import got, { type ExtendOptions, type Got, type Response } from 'got';

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

/**
 * Makes an HTTP client that does one thing once: got without retries, redirects or decompression of its own,
 * and with an end to every phase.
 *
 * @param totalMs for a whole call, in milliseconds
 */
export function boundedHttp(totalMs: number, options: ExtendOptions = {}): Got {
  return got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    throwHttpErrors: false,
    timeout: phases(totalMs),
    ...options,
  });
}

function phases(totalMs: number) {
  // Each shorter than the whole, so that the log tells an unreachable server from a slow one, and that from a slow body.
  const connecting = Math.ceil((totalMs * 2) / 3);
  return {
    lookup: connecting,
    connect: connecting,
    secureConnect: connecting,
    send: totalMs,
    response: Math.max(1, totalMs - 10),
    socket: totalMs,
    request: totalMs,
  };
}

export interface CallOptions {
  readonly method?: 'PUT';
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** In place of the client's own, in milliseconds. */
  readonly totalMs?: number;
  /** Breaks the call off. */
  readonly signal?: AbortSignal;
}

/**
 * Makes one call and takes the whole reply, whatever its status, up to so many bytes.
 *
 * @throws got's RequestError where the connection failed or took too long; ReplyRefused
 */
export async function receive(
  client: Got,
  url: string,
  { totalMs, signal, ...options }: CallOptions,
  maxBytes: number,
): Promise<Response<Uint8Array>> {
  const cancel = new AbortController();
  const breakOff = () => cancel.abort();
  let refusal: ReplyRefused | undefined;
  const refuse = (code: ReplyRefused['code']) => {
    refusal ??= new ReplyRefused(code);
    cancel.abort();
  };
  signal?.addEventListener('abort', breakOff);
  const call = client(url, {
    ...options,
    ...(totalMs !== undefined && { timeout: phases(totalMs) }),
    signal: cancel.signal,
    responseType: 'buffer',
  });
  call.on('downloadProgress', ({ transferred }) => {
    if (transferred > maxBytes) refuse('reply_too_large');
  });
  call.on('request', (request) => {
    let informational = 0;
    request.on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL) refuse('reply_informational');
    });
    // Without a listener Node.js closes the connection, and got waits for a reply until its time is over.
    request.on('upgrade', (_reply, socket) => {
      socket.destroy();
      refuse('reply_upgrade');
    });
  });
  return call
    .catch((error) => {
      throw refusal ?? error;
    })
    .finally(() => signal?.removeEventListener('abort', breakOff));
}
