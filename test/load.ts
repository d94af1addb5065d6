import http from 'node:http';

/** One request of a load; `signal` lets its client leave without an answer. */
export interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** How often it was answered so: by status, or by the error's code where no answer came. */
export type Tally = Record<string, number>;

/**
 * Sends requests over so many connections, which are kept alive: each takes the next one as soon as its last one has
 * been answered. Ends when there are no more, and closes the connections.
 *
 * @param origin whom to, as in `http://127.0.0.1:3000`
 * @param requests read as they are sent, so that a generator decides how long it goes on
 */
export async function load(origin: string, requests: Iterable<Request>, connections = 32): Promise<Tally> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const tally: Tally = {};
  const queue = requests[Symbol.iterator]();
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const result = await send(origin, agent, next.value);
      tally[result] = (tally[result] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return tally;
}

function send(origin: string, agent: http.Agent, { path = '/', body, ...options }: Request): Promise<string> {
  return new Promise((resolve) => {
    const request = http.request(origin + path, { ...options, agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(String(response.statusCode)));
      response.once('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    });
    request.once('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    request.end(body);
  });
}
