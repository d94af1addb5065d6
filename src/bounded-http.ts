import got, { type ExtendOptions, type Got, type Response } from 'got';

/** The reply has more bytes than were asked for. */
export class ReplyTooLarge extends Error {
  readonly code = 'reply_too_large';
}

/**
 * Makes an HTTP client that does one thing once: got without retries, redirects or decompression of its own,
 * and with an end to every phase.
 *
 * @param totalMs for a whole call, in milliseconds
 */
export function boundedHttp(totalMs: number, options: ExtendOptions = {}): Got {
  // Shorter than the whole, so that the log tells an unreachable server from a slow one.
  const connecting = Math.ceil((totalMs * 2) / 3);
  return got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    throwHttpErrors: false,
    timeout: {
      lookup: connecting,
      connect: connecting,
      secureConnect: connecting,
      send: totalMs,
      response: totalMs,
      socket: totalMs,
      request: totalMs,
    },
    ...options,
  });
}

/**
 * Makes one call and takes the whole reply, whatever its status, up to so many bytes.
 *
 * @throws got's RequestError where the connection failed or took too long; ReplyTooLarge
 */
export async function receive(
  client: Got,
  url: string,
  options: { method?: 'PUT'; headers?: Record<string, string>; body?: string },
  maxBytes: number,
): Promise<Response<Uint8Array>> {
  const cancel = new AbortController();
  let oversize = false;
  const call = client(url, { ...options, signal: cancel.signal, responseType: 'buffer' });
  call.on('downloadProgress', ({ transferred }) => {
    oversize = transferred > maxBytes;
    if (oversize) cancel.abort();
  });
  try {
    return await call;
  } catch (error) {
    throw oversize ? new ReplyTooLarge() : error;
  }
}
