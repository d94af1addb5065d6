import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/** A hint or two may come before the reply (103, for example). More of them only keep the gateway busy. */
const MAX_INFORMATIONAL = 8;

/**
 * No whole reply came. `code` says why: a code of Node.js', `timeout_<phase>`, `reply_too_large`, `reply_informational`,
 * `reply_upgrade`, `proxy_refused`, or `client_gone` where `signal` was aborted. got's own errors hold the headers of the
 * request, with the key, so they never leave http-client.ts.
 */
export class ExchangeError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** One request on a connection of undici's. It keeps the time, and collects the reply for got. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #reply = Promise.withResolvers<IncomingMessage>();
  /** Shorter than the whole, so that the log tells an unreachable server from a slow one. */
  readonly #connecting: NodeJS.Timeout;
  readonly #whole: NodeJS.Timeout;
  readonly #pieces: Buffer[] = [];
  readonly #maxBytes: number;
  #controller: Dispatcher.DispatchController | undefined;
  #informational = 0;
  #bytes = 0;
  #head: Head | undefined;
  #isOver = false;

  /** @param maxBytes of the reply's body */
  constructor(totalMs: number, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#connecting = setTimeout(() => this.fail('timeout_connect'), Math.ceil((totalMs * 2) / 3));
    this.#whole = setTimeout(() => this.fail(this.#head ? 'timeout_request' : 'timeout_response'), totalMs);
    // It may fail before got waits for it.
    this.#reply.promise.catch(() => {});
  }

  /** @returns the reply in the form that got takes */
  begin(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions): Promise<IncomingMessage> {
    if (!this.#isOver) dispatcher.dispatch(options, this);
    return this.#reply.promise;
  }

  fail(code: string): void {
    const error = new ExchangeError(code);
    this.#end();
    this.#reply.reject(error);
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    clearTimeout(this.#connecting);
    // There is a connection at last, and nobody waits any more.
    if (this.#isOver) controller.abort(new ExchangeError('client_gone'));
  }

  onResponseStart(_: Dispatcher.DispatchController, statusCode: number, headers: IncomingHttpHeaders): void {
    if (statusCode >= 200) this.#head = { statusCode, headers };
    else this.#informational += 1;
    if (this.#informational > MAX_INFORMATIONAL) this.fail('reply_informational');
  }

  onResponseData(_: Dispatcher.DispatchController, piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxBytes) this.#pieces.push(piece);
    else this.fail('reply_too_large');
  }

  onResponseEnd(): void {
    this.#end();
    this.#reply.resolve(readable(this.#head as Head, this.#pieces));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.fail(codeOf(error, this.#head));
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#connecting);
    clearTimeout(this.#whole);
  }
}

type Head = Pick<IncomingMessage, 'headers'> & { readonly statusCode: number };

/** A reply that is there already, as what got wants of one. */
function readable(head: Head, pieces: readonly Buffer[]): IncomingMessage {
  const read = function (this: Readable) {
    for (const piece of pieces) this.push(piece);
    this.push(null);
  };
  return Object.assign(new Readable({ read }), head) as unknown as IncomingMessage;
}

/** What undici calls otherwise than Node.js does, by the error's code or message. */
const CODES: Readonly<Record<string, string>> = {
  // An answer of the proxy's to CONNECT.
  UND_ERR_ABORTED: 'proxy_refused',
  UND_ERR_CONNECT_TIMEOUT: 'timeout_connect',
  UND_ERR_HEADERS_OVERFLOW: 'HPE_HEADER_OVERFLOW',
  'bad upgrade': 'reply_upgrade',
  // A 100, which nobody has asked for.
  'bad response': 'reply_informational',
};

/** The connection ended, or was ended, before the reply was whole. */
const BROKEN: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'UND_ERR_DESTROYED',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_SOCKET',
]);

const HAVE_NO_BODY: ReadonlySet<number> = new Set([204, 304]);

function codeOf(error: Error & { code?: string }, head: Head | undefined): string {
  const code = error.code ?? error.name;
  const isTooShort = code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
  if (isTooShort && (!head || HAVE_NO_BODY.has(head.statusCode))) return 'HPE_INVALID';
  const known = CODES[error.message] ?? CODES[code];
  if (known) return known;
  // llhttp's "Invalid EOF state".
  const isBroken = BROKEN.has(code) || (code === 'HTTPParserError' && error.message.includes('EOF'));
  if (isBroken) return head?.headers['content-length'] ? 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' : 'ECONNRESET';
  return code === 'HTTPParserError' ? 'HPE_INVALID' : code;
}
