import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Conversation } from './conversations.ts';
import type { History, Write } from './history.ts';
import type { Phase } from './phases.ts';
import type { PhaseCounts, Tally } from './tally.ts';

const TICK_MS = 2;
/** The rate is reached step by step: at first all processes compile their code on the same processors. */
const RISE_SECONDS = 10;
/** No answer comes later than this, in milliseconds: COMETCHAT_DEADLINE_MS, and what the way takes. */
export const DEADLINE_MS = 3050;
/** After the last request: what has no answer then has none. */
const LAST_WAIT_MS = 10_000;

/** Parts of the requests: those that say the last one again, those that follow it with other tags, those that leave. */
const AGAIN = 0.03;
const FOLLOWING = 0.03;
const LEAVING = 0.03;
const LEAVES_AFTER_MS = { from: 5, to: 400 };
const LEFT = 'client left';

interface Request {
  readonly conversation: Conversation;
  readonly tag: string;
}

/** The apps: they send at a constant rate, and none waits for the answer of another. */
export class Clients {
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #urls: readonly string[];
  readonly #conversations: readonly Conversation[];
  readonly #history: History;
  readonly #tally: Tally;
  readonly #open = new Set<http.ClientRequest>();
  #last: Request | undefined;

  constructor(
    urls: readonly string[],
    conversations: readonly Conversation[],
    history: History,
    tally: Tally,
  ) {
    this.#urls = urls;
    this.#conversations = conversations;
    this.#history = history;
    this.#tally = tally;
  }

  /**
   * Sends so many requests a second for so many seconds, with fewer at first, and waits for the last answers.
   *
   * @param phase that it is now
   * @param isBack whether CometChat has been back for so long that all are served again
   * @param stop ends it early
   */
  async run(
    rate: number,
    seconds: number,
    phase: () => Phase,
    isBack: () => boolean,
    stop: AbortSignal,
  ): Promise<void> {
    const start = performance.now();
    const total = rate * (seconds - RISE_SECONDS / 2);
    while (this.#tally.sent < total && !stop.aborted) {
      const passed = (performance.now() - start) / 1000;
      const risen = Math.min(passed, RISE_SECONDS);
      const due = Math.min(total, rate * (risen ** 2 / (2 * RISE_SECONDS) + passed - risen));
      while (this.#tally.sent < due) this.#send(this.#next(), this.#tally.phase(phase()), isBack);
      await wait(TICK_MS);
    }
    const giveUp = performance.now() + LAST_WAIT_MS;
    while (this.#open.size > 0 && performance.now() < giveUp && !stop.aborted) await wait(TICK_MS);
    for (const request of this.#open) request.destroy(new Error('no answer'));
    this.#agent.destroy();
    // Destroyed requests tell so in a later turn.
    await wait(100);
  }

  #next(): Request {
    const chance = Math.random();
    const last = this.#last;
    if (last && chance < AGAIN) return last;
    const conversation = last && chance < AGAIN + FOLLOWING ? last.conversation : pick(this.#conversations);
    this.#last = { conversation, tag: `n${this.#tally.sent}` };
    return this.#last;
  }

  #send({ conversation, tag }: Request, counts: PhaseCounts, isBack: () => boolean): void {
    this.#tally.sent += 1;
    counts.sent += 1;
    const { recovered } = this.#tally;
    const wasBack = isBack();
    recovered.sent += Number(wasBack);
    const sentAt = performance.now();
    const write = this.#history.sent(conversation.name, tag, sentAt);
    const request = http.request(pick(this.#urls), {
      method: 'PUT',
      agent: this.#agent,
      headers: { authorization: `Bearer ${conversation.token}`, 'content-type': 'application/json' },
    });
    this.#open.add(request);
    let result = '';
    let error = '';
    request.once('response', (response) => {
      readText(response, (body) => {
        const doneAt = performance.now();
        const { statusCode = 0, headers } = response;
        result = this.#tally.answered(statusCode, headers['content-type'], body, doneAt - sentAt);
        if (result === '200') counts.ok += 1;
        // The next outage may have come before the answer.
        if (wasBack && isBack() && result === 'cometchat-unavailable') recovered.refused += 1;
        this.#history.done(write, result, sentAt, doneAt);
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
      if (result === '') this.#unanswered(write, sentAt, error || 'cut off');
    });
    request.end(JSON.stringify({ tags: [tag], ...conversation.target }));
  }

  /** It may still be applied until its deadline. */
  #unanswered(write: Write, sentAt: number, error: string): void {
    const { lost } = this.#tally;
    if (error === LEFT) this.#tally.left += 1;
    else lost.set(error, (lost.get(error) ?? 0) + 1);
    this.#history.done(write, error, sentAt, sentAt + DEADLINE_MS);
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

const between = ({ from, to }: { from: number; to: number }) => from + Math.random() * (to - from);
const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)] as T;
