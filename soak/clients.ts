import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, readAnswer } from './answers.ts';
import { between, type Call, type Calls, pick } from './calls.ts';
import { now } from './clock.ts';
import { conversationName } from './conversations.ts';
import type { History } from './history.ts';
import type { Phase } from './phases.ts';
import type { Tally } from './tally.ts';

const TICK_MS = 2;
/** The rate is reached step by step: at first all processes compile their code on the same processors. */
const RISE_SECONDS = 10;
/** No answer comes later than this, in milliseconds: COMETCHAT_DEADLINE_MS, and what the way takes. */
export const DEADLINE_MS = 3050;
/** More than there are requests at once. */
const MAX_IDLE = 2000;
/** After the last request: what has no answer then has none. */
const LAST_WAIT_MS = 10_000;

/** Part of the clients that do not wait for their answer. */
const LEAVING = 0.03;
const LEAVES_AFTER_MS = { from: 5, to: 400 };
const LEFT = 'client left';

/** What CometChat is like now. */
export interface Weather {
  phase(): Phase;
  /** Whether CometChat has been back for so long that all are served again. */
  isBack(): boolean;
}

/** The apps: they send at a constant rate, and none waits for the answer of another. */
export class Clients {
  // libuv accepts one connection in each turn of the gateway's event loop: new ones would wait for long where it is busy.
  readonly #agent = new http.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE });
  readonly #origins: readonly string[];
  readonly #calls: Calls;
  readonly #history: History;
  readonly #tally: Tally;
  readonly #open = new Set<http.ClientRequest>();

  constructor(origins: readonly string[], calls: Calls, history: History, tally: Tally) {
    this.#origins = origins;
    this.#calls = calls;
    this.#history = history;
    this.#tally = tally;
  }

  /**
   * Sends so many requests a second for so many seconds, with fewer at first, and waits for the last answers.
   *
   * @param stop ends it early
   */
  async run(rate: number, seconds: number, weather: Weather, stop: AbortSignal): Promise<void> {
    const start = now();
    const total = rate * (seconds - RISE_SECONDS / 2);
    while (this.#tally.sent < total && !stop.aborted) {
      const passed = (now() - start) / 1000;
      const risen = Math.min(passed, RISE_SECONDS);
      const due = Math.min(total, rate * (risen ** 2 / (2 * RISE_SECONDS) + passed - risen));
      while (this.#tally.sent < due) this.#send(this.#calls.next(), weather);
      await wait(TICK_MS);
    }
    const giveUp = now() + LAST_WAIT_MS;
    while (this.#open.size > 0 && now() < giveUp && !stop.aborted) await wait(TICK_MS);
    for (const request of this.#open) request.destroy(new Error('no answer'));
    this.#agent.destroy();
    // Destroyed requests tell so in a later turn.
    await wait(100);
  }

  #send(call: Call, { phase, isBack }: Weather): void {
    const counts = this.#tally.begin(call.kind, phase());
    const { recovered } = this.#tally;
    const wasBack = isBack();
    recovered.sent += Number(wasBack);
    const { kind, method, path, body, change, conversation } = call;
    const sentAt = now();
    const asked = change && this.#history.sent(conversation.name, change, sentAt);
    const request = http.request(pick(this.#origins) + path, {
      method,
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${conversation.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
    });
    this.#open.add(request);
    let result = '';
    let error = '';
    const end = (ended: string, at: number) => {
      result = ended;
      if (asked) this.#history.done(asked, result, at);
    };
    request.once('response', (response) => {
      readText(response, (text) => {
        const doneAt = now();
        const { statusCode = 0, headers } = response;
        const answer = readAnswer(call, statusCode, headers['content-type'], text);
        this.#tally.answered(answer.result, doneAt - sentAt, `${kind}: ${statusCode} ${text}`);
        if (answer.result === '200') for (const count of counts) count.ok += 1;
        // The next outage may have come before the answer.
        if (wasBack && isBack() && answer.result === 'cometchat-unavailable') recovered.refused += 1;
        this.#noteReads(call, answer, sentAt, doneAt);
        end(answer.result, doneAt);
      });
    });
    request.on('error', ({ message }) => {
      error ||= message;
    });
    const leave = () => {
      error ||= LEFT;
      request.destroy();
    };
    const leaving = Math.random() < LEAVING ? setTimeout(leave, between(LEAVES_AFTER_MS)) : undefined;
    request.once('close', () => {
      this.#open.delete(request);
      clearTimeout(leaving);
      if (result !== '') return;
      const why = error || 'cut off';
      this.#tally.unanswered(why, why === LEFT);
      // It may still be applied until its deadline; nobody knows when, where the gateway is late or has broken off.
      end(why, why === LEFT ? sentAt + DEADLINE_MS : Number.POSITIVE_INFINITY);
    });
    request.end(body);
  }

  #noteReads({ conversation }: Call, { seen }: Answer, sentAt: number, doneAt: number): void {
    for (const { other, tags } of seen) {
      this.#history.read(conversationName(conversation.user, other), { tags, sentAt }, doneAt);
    }
  }
}

function readText(response: http.IncomingMessage, onEnd: (text: string) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (piece) => {
    text += piece;
  });
  // The request tells of it.
  response.on('error', () => {});
  response.once('end', () => onEnd(text));
}
