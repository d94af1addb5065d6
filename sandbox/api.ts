import { listReply, type TotalPages } from './list.ts';
import { Refusal, type World } from './world.ts';

const WINDOW_SECONDS = 60;

export interface Reply {
  /** 0 where it is no HTTP reply. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a request asks for. */
export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The two spellings of the limits' headers that CometChat's documentation has: limit, remaining and reset. */
const SPELLINGS = {
  'x-rate-limit': ['x-rate-limit', 'x-rate-limit-remaining', 'x-rate-limit-reset'],
  'x-ratelimit': ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
} as const;
export type Spelling = keyof typeof SPELLINGS;

export interface ApiOptions {
  readonly keys: readonly string[];
  readonly callsPerMinute: number;
  readonly spelling: Spelling;
  readonly totalPages: TotalPages;
}

/** CometChat's side of the conversation calls: who may, how often, and what comes of it. */
export class Api {
  /** Those that are taken. */
  keys: readonly string[];
  readonly #world: World;
  readonly #options: ApiOptions;
  #window = { start: 0, calls: 0 };

  constructor(world: World, options: ApiOptions) {
    this.#world = world;
    this.#options = options;
    this.keys = options.keys;
  }

  answer(ask: Ask): Reply {
    const limits = this.#spend();
    try {
      return { status: 200, headers: limits, body: JSON.stringify(this.#route(ask)) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code, message, details } = error;
      const headers = status === 429 ? { ...limits, 'retry-after': this.#reset() } : limits;
      const document = { error: { message, devMessage: message, source: 'chat-api', code, details } };
      return { status, headers, body: JSON.stringify(document) };
    }
  }

  #route({ method, path, headers, body }: Ask): unknown {
    const { apikey, onbehalfof } = headers;
    if (apikey === undefined)
      throw new Refusal(401, 'AUTH_ERR_EMPTY_APIKEY', 'The header apikey is missing.');
    if (!this.keys.includes(String(apikey))) {
      throw new Refusal(401, 'AUTH_ERR_APIKEY_NOT_FOUND', `The apikey ${apikey} does not exist.`);
    }
    if (this.#window.calls > this.#options.callsPerMinute) {
      throw new Refusal(429, 'ERR_TOO_MANY_REQUESTS', 'Too many requests.');
    }
    const onBehalfOf = typeof onbehalfof === 'string' ? onbehalfof : undefined;
    const [, resource = '', query] = /^\/v3(?:\.0)?\/([^?]*)(?:\?(.*))?$/.exec(path) ?? [];
    if (method === 'GET' && resource === 'conversations') {
      const all = this.#world.list(onBehalfOf);
      return listReply(all, new URLSearchParams(query), this.#options.totalPages);
    }
    const [, type, id] = /^(users|groups)\/([^/]+)\/conversation$/.exec(resource) ?? [];
    if ((type !== 'users' && type !== 'groups') || id === undefined) {
      throw new Refusal(404, 'ERR_API_NOT_FOUND', `The API ${path} does not exist.`);
    }
    if (method === 'GET') return this.#world.read(onBehalfOf, type, decodeURIComponent(id));
    if (method === 'PUT') return this.#world.update(onBehalfOf, type, decodeURIComponent(id), parse(body));
    throw new Refusal(404, 'ERR_API_NOT_FOUND', `The API ${method} ${path} does not exist.`);
  }

  /** Counts the call and tells what is left of the minute. */
  #spend(): Record<string, string> {
    const now = Date.now() / 1000;
    if (now - this.#window.start >= WINDOW_SECONDS) this.#window = { start: Math.floor(now), calls: 0 };
    this.#window.calls += 1;
    const { callsPerMinute, spelling } = this.#options;
    const [limit, remaining, reset] = SPELLINGS[spelling];
    return {
      'content-type': 'application/json',
      [limit]: String(callsPerMinute),
      [remaining]: String(Math.max(0, callsPerMinute - this.#window.calls)),
      [reset]: String(this.#window.start + WINDOW_SECONDS),
    };
  }

  #reset(): string {
    return String(Math.max(1, Math.ceil(this.#window.start + WINDOW_SECONDS - Date.now() / 1000)));
  }
}

/** @returns the JSON document, or undefined where it is none */
export function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
