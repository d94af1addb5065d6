import type { ServerResponse } from 'node:http';
import type { Call, Sandbox } from '../server.ts';
import type { CometChatEvent } from './browser/events.ts';

const MASK = '••••••••';

/** Sends each call that CometChat gets, and its reply, to every listener as server-sent events. */
export class LiveCalls {
  readonly #listeners = new Set<ServerResponse>();
  #calls = 0;

  constructor(sandbox: Sandbox) {
    sandbox.onCall((call, response) => this.#tell(call, response));
  }

  /** Keeps this response open, and sends it the calls from now on. */
  listen(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 500\n\n');
    this.#listeners.add(response);
    response.once('close', () => this.#listeners.delete(response));
  }

  #tell({ method, path, headers, body, reply }: Call, response: ServerResponse): void {
    this.#calls += 1;
    const id = this.#calls;
    const { apikey = '', onbehalfof = '' } = headers;
    // CometChat's refusal of a key repeats it.
    const mask = (text: string) => (apikey === '' ? text : text.replaceAll(String(apikey), MASK));
    const masked = { apikey: apikey && MASK, onBehalfOf: mask(String(onbehalfof)), body: mask(body) };
    this.#send({ type: 'call', id, at: Date.now(), method, path: mask(path), ...masked });
    response.once('close', () => {
      const isWhole = response.writableFinished && reply.status > 0;
      const retryAfter = response.getHeader('retry-after');
      this.#send({
        type: 'reply',
        id,
        at: Date.now(),
        ...(isWhole && { status: reply.status, body: mask(reply.body) }),
        ...(isWhole && retryAfter !== undefined && { retryAfter: String(retryAfter) }),
      });
    });
  }

  #send(event: CometChatEvent): void {
    const { type } = event;
    const text = `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
    for (const listener of this.#listeners) listener.write(text);
  }
}
