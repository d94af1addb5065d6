import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';

/** A client that waits for its replies has one request under way. Only one that does not, which is pipelining, has more. */
const MAX_UNDER_WAY = 16;
/** So many bytes are parsed at once: most requests, and few of the shortest. */
const PIECE_BYTES = 1024;
const NOTHING: Buffer = Buffer.alloc(0);
/** As much of a head is kept as it may have, and a bit. Line breaks before it are endless, if the client likes. */
const MAX_HEAD_BYTES = 32 * 1024;
/** A reply that the client has not taken so long after it was made is given up, with its connection. */
const STALLED_MS = 10_000;
/** How long a client has to read the last reply of its connection. */
const LINGER_MS = 1000;

/** A connection of the HTTP server, and the requests on it whose replies have not been sent whole. */
export class Connection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #underWay = new Set<ServerResponse>();
  /** The bytes behind the newest request: a part of the next one's head, if any. */
  #head: Buffer[] = [];
  #headBytes = 0;
  /** What has come behind the bytes that are being parsed. */
  #rest = NOTHING;
  #newest: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;
  /** Set by end(). Whatever the client sends after that is ignored. */
  #ending: { readonly lastReply: string; readonly insteadOf: ServerResponse | undefined } | undefined;

  /** @param socket to which the HTTP server listens already */
  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    // Node.js would parse up to 64 KiB, hundreds of requests, before it looks up.
    const [parse] = socket.listeners('data') as [(bytes: Buffer) => void];
    socket.removeListener('data', parse).on('data', (bytes: Buffer) => this.#read(bytes, parse));
  }

  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  /** Whether it has as many requests under way as a connection may have. */
  get isFull(): boolean {
    return this.#underWay.size >= MAX_UNDER_WAY;
  }

  /** The newest request, where it is still arriving. */
  get arriving(): IncomingMessage | undefined {
    return this.#newest?.request.complete === false ? this.#newest.request : undefined;
  }

  /** What has come of the next request, and maybe more, where its header fields are still arriving. */
  get head(): string {
    return Buffer.concat([...this.#head, this.#rest]).toString('latin1');
  }

  /** Takes note of a request that is going to be answered. */
  add(request: IncomingMessage, response: ServerResponse): void {
    this.#underWay.add(response);
    this.#newest = { request, response };
    this.#head = [];
    this.#headBytes = 0;
    // The socket has all of the reply now. A timeout of the socket would begin anew with each byte that the client sends.
    let cancel = () => {};
    response.once('prefinish', () => {
      // A client that has gone takes nothing.
      if (!this.#underWay.has(response)) return;
      cancel = this.#clock.after(STALLED_MS, () => this.#socket.destroy());
    });
    response.once('close', () => {
      this.#underWay.delete(response);
      if (request.complete && this.#newest?.request === request) this.#newest = undefined;
      cancel();
      this.#endIfAnswered();
    });
  }

  /**
   * Ends the connection as soon as the requests that have come whole are answered.
   *
   * @param lastReply the bytes to send then. A request that is still arriving gets no other reply, unless one has begun: then
   *   that is the last, because another would pass for the reply to the next request
   */
  end(lastReply: string): void {
    this.#ending = { lastReply, insteadOf: this.arriving && this.#newest?.response };
    this.#endIfAnswered();
  }

  #read(bytes: Buffer, parse: (bytes: Buffer) => void): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      if (this.isEnding) return;
      // Node.js pauses it while the client does not read its replies. Its parser takes nothing then.
      if (this.#socket.isPaused()) return void this.#socket.unshift(bytes.subarray(at));
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      if (!this.arriving && this.#headBytes < MAX_HEAD_BYTES) {
        this.#head.push(piece);
        this.#headBytes += piece.length;
      }
      this.#rest = bytes.subarray(at + PIECE_BYTES);
      parse(piece);
    }
    this.#rest = NOTHING;
  }

  #endIfAnswered(): void {
    if (!this.#ending || this.#socket.writableEnded) return;
    const { lastReply, insteadOf } = this.#ending;
    for (const response of this.#underWay) {
      if (response !== insteadOf || response.headersSent) return;
    }
    // The client may have gone. If this was a CONNECT, nobody else would hear of it.
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.end(insteadOf?.headersSent ? '' : lastReply);
    // Closing a connection with unread bytes resets it, and the client might never see the reply.
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }
}
