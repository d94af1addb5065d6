import http from 'node:http';

/** One request of a load. */
export interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Lets the client leave without waiting for the answer. */
  readonly signal?: AbortSignal;
}

/** How many requests ended in which way: with this status, or without an answer and with this error's code. */
export type Tally = Record<string, number>;

/**
 * Sends requests over so many connections that are kept alive: each of them sends the next one as soon as its last one
 * has been answered, and opens anew where it was closed.
 *
 * @param origin whom to, as in `http://127.0.0.1:3000`
 * @param requests taken one by one as they are sent, so that a generator says what comes, and when it is enough
 * @returns what became of them, when the last has been answered and the connections are closed
 */
export async function load(origin: string, requests: Iterable<Request>, connections = 32): Promise<Tally> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const tally: Tally = {};
  const next = requests[Symbol.iterator]();
  const sendAll = async () => {
    for (let { done, value } = next.next(); !done; { done, value } = next.next()) {
      const result = await send(origin, value, agent);
      tally[result] = (tally[result] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, sendAll));
  agent.destroy();
  return tally;
}

function send(origin: string, { path = '/', body, ...options }: Request, agent: http.Agent): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const onError = ({ code }: NodeJS.ErrnoException) => resolve(String(code));
  http
    .request(origin + path, { ...options, agent })
    .on('error', onError)
    .once('response', (response) => {
      response
        .on('error', onError)
        .once('end', () => resolve(String(response.statusCode)))
        .resume();
    })
    .end(body);
  return promise;
}
