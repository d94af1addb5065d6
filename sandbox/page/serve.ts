import type { IncomingMessage, ServerResponse } from 'node:http';
import { makeUser } from '../documents.ts';
import type { Sandbox } from '../server.ts';
import type { Settings } from './browser/events.ts';
import { PageFiles, scriptHashes } from './files.ts';
import { LiveCalls } from './live-calls.ts';
import { Modes } from './modes.ts';

export interface PageOptions {
  /** The gateway's origin, as the browser reaches it. Its CORS_ORIGINS must have the sandbox's. */
  readonly gateway: string;
  /** Signs a user in, as the company's own back end does. @returns the session token, an expired one if asked for */
  readonly signIn: (user: string, expired?: boolean) => Promise<string>;
}

/** Who can sign in here: the users that every new CometChat app begins with. */
const USERS = [1, 2, 3, 4, 5].map(makeUser).map(({ uid, name }) => ({ uid, name }));

/**
 * The page in the browser that shows what the gateway does:
 *
 * - `GET /`, `GET /page/…`: the page and its files
 * - `GET /page/settings`: where the gateway is, who can sign in, and the mode that CometChat is in
 * - `PUT /page/mode?id=…`: puts CometChat in this mode
 * - `GET /page/session?user=…`: a session token of this user; an expired one with `&expired=true`
 * - `GET /page/events`: the mode, and each call that CometChat gets, as server-sent events
 */
export class Page {
  readonly #sandbox: Sandbox;
  readonly #options: PageOptions;
  readonly #files = new PageFiles();
  readonly #calls: LiveCalls;
  readonly #modes: Modes;

  constructor(sandbox: Sandbox, options: PageOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#calls = new LiveCalls(sandbox);
    this.#modes = new Modes(sandbox);
  }

  /** @returns whether the request was for the page; if so, it is answered */
  async answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { origin } = this.#sandbox;
    const { pathname, searchParams } = new URL(url, origin);
    const isPage = pathname === '/' || pathname.startsWith('/page/');
    if (!isPage && !pathname.startsWith('/sandbox')) return false;
    const allowed = pathname === '/page/mode' ? 'PUT' : 'GET';
    if (headers.host !== new URL(origin).host) {
      refuseHost(isPage, origin, response);
    } else if (!isPage) {
      return false;
    } else if (method !== allowed) {
      response.writeHead(405, { allow: allowed }).end();
    } else if (pathname === '/page/mode') {
      this.#pickMode(searchParams, response);
    } else if (pathname === '/page/events') {
      this.#calls.listen(response, this.#modes.state);
    } else if (pathname === '/page/settings') {
      this.#sendSettings(response);
    } else if (pathname === '/page/session') {
      await this.#signIn(searchParams, response);
    } else {
      this.#sendFile(pathname, response);
    }
    return true;
  }

  #sendSettings(response: ServerResponse): void {
    const settings: Settings = { gateway: this.#options.gateway, state: this.#modes.state, users: USERS };
    json(response, 200, settings);
  }

  #pickMode(query: URLSearchParams, response: ServerResponse): void {
    const isPicked = this.#modes.pick(query.get('id') ?? '');
    const { state } = this.#modes;
    if (isPicked) this.#calls.tellMode(state);
    json(response, isPicked ? 200 : 404, isPicked ? state : { error: 'there is no such mode' });
  }

  async #signIn(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const user = USERS.find(({ uid }) => uid === query.get('user'));
    if (!user) return json(response, 404, { error: 'there is no such user' });
    const token = await this.#options.signIn(user.uid, query.get('expired') === 'true');
    json(response, 200, { token });
  }

  #sendFile(address: string, response: ServerResponse): void {
    const file = this.#files.get(address);
    if (!file) {
      json(response, 404, { error: `there is no ${address}` });
      return;
    }
    response.writeHead(200, {
      'content-type': file.type,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      ...(address === '/' && { 'content-security-policy': this.#policy(file.body) }),
    });
    response.end(file.body);
  }

  /** The page may load and call what is of its own origin, and call the gateway. */
  #policy(html: string): string {
    return [
      "default-src 'none'",
      `script-src 'self' ${scriptHashes(html)}`,
      "style-src 'self'",
      "img-src 'self'",
      `connect-src 'self' ${this.#options.gateway}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; ');
  }
}

/** A page of a stranger can reach this machine under a name of its own. */
function refuseHost(isPage: boolean, origin: string, response: ServerResponse): void {
  // Under another name of this machine the gateway would not know the page's origin.
  if (isPage) response.writeHead(307, { location: `${origin}/` }).end();
  else json(response, 403, { error: `the sandbox is at ${origin}` });
}

function json(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(document));
}
