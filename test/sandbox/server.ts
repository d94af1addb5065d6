import { EventEmitter, once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { cannedReply, type Fault, FaultSchema, isCanned, play, type Reply } from './faults.ts';
import { Refusal, World } from './world.ts';

const WINDOW_SECONDS = 60;
const isFaultList = TypeCompiler.Compile(Type.Array(FaultSchema));

/** A call as it arrived. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What it was answered with; the body's bytes are CometChat's, before any fault. */
  readonly reply: Reply;
}

export interface SandboxOptions {
  readonly apiKey: string;
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly callsPerMinute?: number;
}

/**
 * A stand-in for CometChat's REST API v3: a real server that answers the conversation calls as CometChat's
 * documentation says, remembers what it was asked, and misbehaves when told to.
 *
 * Beside the API it has `GET /sandbox/calls`, `PUT /sandbox/faults` (a JSON array, played one after the
 * other) and `DELETE /sandbox` (forgets both).
 */
export class Sandbox {
  readonly calls: Call[] = [];
  readonly world = new World();
  readonly #faults: Fault[] = [];
  readonly #arrivals = new EventEmitter();
  readonly #options: Required<SandboxOptions>;
  readonly #stopped = new AbortController();
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));
  #window = { start: 0, calls: 0 };

  constructor(options: SandboxOptions) {
    this.#options = { host: '127.0.0.1', port: 0, callsPerMinute: 20_000, ...options };
  }

  /** Starts a sandbox; its `baseUrl` is what `COMETCHAT_BASE_URL` takes. */
  static async start(options: SandboxOptions): Promise<Sandbox> {
    const sandbox = new Sandbox(options);
    const { host, port } = sandbox.#options;
    await once(sandbox.#server.listen(port, host), 'listening');
    return sandbox;
  }

  get origin(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#options.host}:${port}`;
  }

  get baseUrl(): string {
    return `${this.origin}/v3`;
  }

  /** Lets the next calls meet these faults, each as often as its `times` says. */
  fault(...faults: Fault[]): void {
    for (const { times = 1, ...fault } of faults) this.#faults.push(...Array(times).fill(fault));
  }

  /** Calls back for every connection that is opened. */
  onConnection(listener: (socket: Socket) => void): void {
    this.#server.on('connection', listener);
  }

  /** Resolves with the next call as soon as it is there, before it is answered. */
  async nextCall(): Promise<Call> {
    const [call] = await once(this.#arrivals, 'call');
    return call;
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await text(request);
      const path = request.url ?? '/';
      if (path.startsWith('/sandbox')) {
        const [status, document] = this.#control(`${request.method} ${path}`, body);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
        return;
      }
      const fault = this.#faults.shift() ?? {};
      const reply = isCanned(fault) ? cannedReply(fault) : this.#answer(request, path, body);
      const call = { method: request.method ?? '', path, headers: request.headers, body, reply };
      this.calls.push(call);
      this.#arrivals.emit('call', call);
      await play(fault, reply, response, this.#stopped.signal);
    } catch {
      // The client went away, or the sandbox is closing.
      response.destroy();
    }
  }

  #answer(request: IncomingMessage, path: string, body: string): Reply {
    const limits = this.#spend();
    try {
      const result = this.#route(request, path, body);
      return { status: 200, headers: limits, body: JSON.stringify(result) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code, message, details } = error;
      const headers = status === 429 ? { ...limits, 'retry-after': this.#reset() } : limits;
      const document = { error: { message, devMessage: message, source: 'chat-api', code, details } };
      return { status, headers, body: JSON.stringify(document) };
    }
  }

  #route({ method, headers }: IncomingMessage, path: string, body: string): unknown {
    const { apikey, onbehalfof } = headers;
    if (apikey === undefined)
      throw new Refusal(401, 'AUTH_ERR_EMPTY_APIKEY', 'The header apikey is missing.');
    if (apikey !== this.#options.apiKey) {
      throw new Refusal(401, 'AUTH_ERR_APIKEY_NOT_FOUND', `The apikey ${apikey} does not exist.`);
    }
    if (this.#window.calls > this.#options.callsPerMinute) {
      throw new Refusal(429, 'ERR_TOO_MANY_REQUESTS', 'Too many requests.');
    }
    const [, type, id] = /^\/v3(?:\.0)?\/(users|groups)\/([^/?]+)\/conversation$/.exec(path) ?? [];
    if ((type !== 'users' && type !== 'groups') || id === undefined) {
      throw new Refusal(404, 'ERR_API_NOT_FOUND', `The API ${path} does not exist.`);
    }
    const onBehalfOf = typeof onbehalfof === 'string' ? onbehalfof : undefined;
    if (method === 'GET') return this.world.read(onBehalfOf, type, decodeURIComponent(id));
    if (method === 'PUT') return this.world.update(onBehalfOf, type, decodeURIComponent(id), parse(body));
    throw new Refusal(404, 'ERR_API_NOT_FOUND', `The API ${method} ${path} does not exist.`);
  }

  /** Counts the call and tells what is left of the minute, in the first of the documented spellings. */
  #spend(): Record<string, string> {
    const now = Date.now() / 1000;
    if (now - this.#window.start >= WINDOW_SECONDS) this.#window = { start: Math.floor(now), calls: 0 };
    this.#window.calls += 1;
    const { callsPerMinute } = this.#options;
    return {
      'content-type': 'application/json',
      'x-rate-limit': String(callsPerMinute),
      'x-rate-limit-remaining': String(Math.max(0, callsPerMinute - this.#window.calls)),
      'x-rate-limit-reset': String(this.#window.start + WINDOW_SECONDS),
    };
  }

  #reset(): string {
    return String(Math.max(1, Math.ceil(this.#window.start + WINDOW_SECONDS - Date.now() / 1000)));
  }

  /** @returns status and document of the reply to a call of the sandbox's own */
  #control(call: string, body: string): [number, unknown] {
    if (call === 'GET /sandbox/calls') return [200, this.calls];
    if (call === 'DELETE /sandbox') {
      this.calls.length = 0;
      this.#faults.length = 0;
      return [200, {}];
    }
    if (call !== 'PUT /sandbox/faults') return [404, { error: `there is no ${call}` }];
    const faults = parse(body);
    if (isFaultList.Check(faults)) {
      this.fault(...faults);
      return [200, { faults: this.#faults.length }];
    }
    return [400, { errors: [...isFaultList.Errors(faults)].map(({ path, message }) => ({ path, message })) }];
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
