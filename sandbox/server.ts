import { EventEmitter, once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Api, type Reply } from './api.ts';
import { CATALOGUE, type Name } from './catalogue.ts';
import { type Certificate, makeCertificate } from './certificates.ts';
import { control } from './control.ts';
import { cannedReply, type Fault, type Method, play, takeFor } from './faults.ts';
import { Link, type LinkState } from './link.ts';
import type { SandboxOptions } from './options.ts';
import type { Page, PageOptions } from './page/serve.ts';
import { World } from './world.ts';

/** A call as it arrived. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What it was answered with; the body's bytes are CometChat's, before any fault. */
  readonly reply: Reply;
}

/**
 * A stand-in for CometChat's REST API v3: a real server that answers the conversation calls as CometChat's
 * documentation says, remembers what it was asked, and misbehaves when told to. control.ts has the calls of its
 * own, beside the API.
 */
export class Sandbox {
  readonly calls: Call[] = [];
  /** How many calls there were, kept or not. */
  received = 0;
  readonly world: World;
  /** The certificate of the authority to trust, with TLS. */
  readonly ca: string | undefined;
  readonly #api: Api;
  readonly #faults: Fault[] = [];
  readonly #holds: { method?: Method; released: Promise<void> }[] = [];
  #always: Fault | undefined;
  #chaos: { share: number; names: readonly Name[]; random: () => number } | undefined;
  readonly #arrivals = new EventEmitter();
  readonly #options: SandboxOptions;
  readonly #stopped = new AbortController();
  #page: Page | undefined;
  readonly #server: http.Server;
  readonly #link: Link;

  private constructor(options: SandboxOptions, certificate: Certificate | undefined) {
    const { apiKey, otherKeys = [], callsPerMinute = 20_000 } = options;
    const { spelling = 'x-rate-limit', totalPages = 'all' } = options;
    this.#options = options;
    this.ca = certificate?.ca;
    this.world = new World(options.users);
    this.#api = new Api(this.world, { keys: [apiKey, ...otherKeys], callsPerMinute, spelling, totalPages });
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const { key, cert } = certificate ?? {};
    this.#server = key && cert ? https.createServer({ key, cert }, serve) : http.createServer(serve);
    this.#link = new Link(this.#server, options.host ?? '127.0.0.1', options.port ?? 0);
  }

  /** Starts a sandbox; its `baseUrl` is what `COMETCHAT_BASE_URL` takes. */
  static async start(options: SandboxOptions): Promise<Sandbox> {
    const sandbox = new Sandbox(options, options.tls && (await makeCertificate(options.tls)));
    await sandbox.link('up');
    return sandbox;
  }

  get origin(): string {
    return `${this.ca ? 'https' : 'http'}://${this.#options.host ?? '127.0.0.1'}:${this.#link.port}`;
  }

  get baseUrl(): string {
    return `${this.origin}/v3`;
  }

  /**
   * Lets the next calls meet these faults, each as often as its `times` says. A call takes the first one that is for its
   * method; the others wait on.
   *
   * @returns how many wait now
   */
  fault(...faults: Fault[]): number {
    for (const { times = 1, ...fault } of faults) this.#faults.push(...Array(times).fill(fault));
    return this.#faults.length;
  }

  /** The same with a fault of the catalogue, for calls with this method or for any. */
  play(name: Name, times = 1, method?: Method): number {
    const faults = CATALOGUE[name]
      .faults(Date.now())
      .map((fault) => ({ ...fault, ...(method && { method }) }));
    return this.fault(...Array(times).fill(faults).flat());
  }

  /** Lets the next call with this method, or any, wait for its answer until the function that this gives is called. */
  hold(method?: Method): () => void {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    this.#holds.push({ released, ...(method && { method }) });
    return resolve;
  }

  /** From now on every call meets this fault, if any; none waits any more. */
  always(fault: Fault | undefined): void {
    this.#faults.length = 0;
    this.#always = fault;
  }

  /** From now on a call that no fault waits for meets one of these with this probability; 0 ends it. */
  chaos(share: number, names: readonly Name[], random: () => number = Math.random): void {
    this.#chaos = { share, names, random };
  }

  /** Breaks the connection to the sandbox, or makes it whole; resolves when it is so. @see Link.set */
  link(state: LinkState, forMs?: number): Promise<void> {
    return this.#link.set(state, forMs);
  }

  /** From now on these keys are taken, and no other. */
  acceptKeys(...keys: readonly string[]): void {
    this.#api.keys = keys;
  }

  /** From now on this origin has the page that shows what the gateway does. Its code is loaded here, and nowhere else. */
  async servePage(options: PageOptions): Promise<void> {
    const { Page } = await import('./page/serve.ts');
    this.#page = new Page(this, options);
  }

  /** Forgets the calls, and the faults that wait. */
  forget(): void {
    this.calls.length = 0;
    this.received = 0;
    this.#faults.length = 0;
  }

  /** Calls back for every connection that is opened. */
  onConnection(listener: (socket: Socket) => void): void {
    this.#server.on('connection', listener);
  }

  /** Calls back for every call as soon as it is there, before it is answered. */
  onCall(listener: (call: Call, response: ServerResponse) => void): void {
    this.#arrivals.on('call', listener);
  }

  /** Resolves with the next call as soon as it is there, before it is answered. */
  async nextCall(): Promise<Call> {
    const [call] = await once(this.#arrivals, 'call');
    return call;
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.link('refused');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!URL.canParse(request.url ?? '', this.origin)) return void response.writeHead(404).end();
      if (await this.#page?.answer(request, response)) return;
      const body = await text(request);
      const { method = '', url: path = '/', headers } = request;
      if (path.startsWith('/sandbox')) return control(this, { method, path, body }, response);
      const fault = this.#nextFault(method);
      const reply = cannedReply(fault) ?? this.#api.answer({ method, path, headers, body });
      const held = takeFor(method, this.#holds);
      this.#remember({ method, path, headers, body, reply }, response);
      await held?.released;
      await play(fault, reply, response, this.#stopped.signal);
    } catch {
      // The client went away, or the sandbox is closing.
      response.destroy();
    }
  }

  #nextFault(method: string): Fault {
    const waiting = takeFor(method, this.#faults);
    if (waiting || !this.#chaos) return waiting ?? this.#always ?? {};
    const { share, names, random } = this.#chaos;
    const name = random() < share ? names[Math.floor(random() * names.length)] : undefined;
    return (name && CATALOGUE[name].faults(Date.now())[0]) ?? {};
  }

  #remember(call: Call, response: ServerResponse): void {
    this.received += 1;
    this.calls.push(call);
    if (this.calls.length > (this.#options.remember ?? Number.POSITIVE_INFINITY)) this.calls.shift();
    this.#arrivals.emit('call', call, response);
  }
}
