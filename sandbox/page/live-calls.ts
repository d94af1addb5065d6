import type { ServerResponse } from 'node:http';
import type { Call, Sandbox } from '../server.ts';
import type { CometChatEvent, ModeState } from './browser/events.ts';

const MASK = '••••••••';

/** A listener that leaves more than this unread is not listening. */
const MOST_UNREAD_BYTES = 1_000_000;

/** Sends each call that CometChat gets, and its reply, to every listener as server-sent events. */
export class LiveCalls {
  readonly #listeners = new Set<ServerResponse>();
  #calls = 0;

  constructor(sandbox: Sandbox) {
    sandbox.onCall((call, response) => this.#tell(call, response));
  }

  /** Keeps this response open, and sends it the mode now, and the calls from now on. */
  listen(response: ServerResponse, state: ModeState): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: 500\n\n${eventText('mode', state)}`);
    this.#listeners.add(response);
    response.once('close', () => this.#listeners.delete(response));
  }

  tellMode(state: ModeState): void {
    this.#send('mode', state);
  }

  #tell({ method, path, headers, body, reply }: Call, response: ServerResponse): void {
    this.#calls += 1;
    const id = this.#calls;
    const { apikey = '', onbehalfof = '' } = headers;
    // CometChat's refusal of a key repeats it.
    const mask = (text: string) => (apikey === '' ? text : text.replaceAll(String(apikey), MASK));
    const masked = { apikey: apikey && MASK, onBehalfOf: mask(String(onbehalfof)), body: mask(body) };
    this.#send('call', { type: 'call', id, at: Date.now(), method, path: mask(path), ...masked });
    response.once('close', () => {
      const isWhole = response.writableFinished && reply.status > 0;
      const retryAfter = response.getHeader('retry-after');
      this.#send('reply', {
        type: 'reply',
        id,
        at: Date.now(),
        ...(isWhole && { status: reply.status, body: mask(reply.body) }),
        ...(isWhole && retryAfter !== undefined && { retryAfter: String(retryAfter) }),
      });
    });
  }

  #send(type: string, event: CometChatEvent | ModeState): void {
    const text = eventText(type, event);
    for (const listener of this.#listeners) {
      listener.write(text);
      // Its browser opens another connection as soon as it reads again.
      if (listener.writableLength > MOST_UNREAD_BYTES) listener.destroy();
    }
  }
}

const eventText = (type: string, event: object): string =>
  `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
