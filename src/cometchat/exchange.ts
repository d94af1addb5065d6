import type { LookupFunction } from 'node:net';
import { RequestError, TimeoutError } from 'got';
import { BrokenOff, boundedHttp, ReplyRefused } from '../base/http-client.ts';
import { derived, type Rotating } from '../base/rotating.ts';
import { keepAliveAgents } from './agents.ts';
import { type ApiKey, ApiKeys } from './api-keys.ts';
import { ABANDONED, type Outcome } from './call.ts';
import type { CometChatId } from './conversation.ts';
import type { Edges } from './edges.ts';
import { isKeyRefusal } from './errors.ts';
import { type CallTrace, observer } from './observed.ts';
import { type QuotaReport, readQuota } from './quota-headers.ts';
import { interpret, invalidReply } from './reply.ts';

/** The documented reply has 3 KB; one of many conversations stays well below this. */
const MAX_REPLY_BYTES = 256 * 1024;

/**
 * A call whose client has left may go on for so long. Apps cancel a call to send a newer one at once, which must
 * not pass the old one on its way.
 */
const LINGER_MS = 250;

/** A conversation as CometChat's path names it: the one with this user, or of this group. */
export type Peer = { readonly type: 'user' | 'group'; readonly id: CometChatId };

/** An "Update User Conversation": who acts, on which conversation, and the body as JSON. */
export interface Call {
  readonly onBehalfOf: CometChatId;
  readonly peer: Peer;
  readonly body: string;
  /** Follows it, where the request that it is for is followed. */
  readonly trace?: CallTrace | undefined;
}

export interface ApiConfig {
  /** With the API version's path and without a slash at its end. */
  readonly baseUrl: string;
  /** The first is used until CometChat refuses it; there may be a second. */
  readonly apiKeys: Rotating<readonly string[]>;
  readonly attemptTimeoutMs: number;
  /** How names are looked up; Node.js' own way unless given. */
  readonly lookup?: LookupFunction;
}

/** Makes single tries of calls to CometChat. The only place that holds the REST API keys. */
export class CometChatApi {
  readonly #baseUrl: string;
  readonly #keys: () => ApiKeys;
  readonly #agents: ReturnType<typeof keepAliveAgents>;
  readonly #put: ReturnType<typeof putAs>;
  readonly #observe: ReturnType<typeof observer>;
  readonly #edges: Edges;
  readonly #onQuota: (report: QuotaReport) => void;

  /** @param onQuota gets what replies say of the app's quota */
  constructor(
    { baseUrl, apiKeys, attemptTimeoutMs, lookup }: ApiConfig,
    edges: Edges,
    onQuota: (report: QuotaReport) => void,
  ) {
    this.#baseUrl = baseUrl;
    this.#keys = derived(apiKeys, (keys) => new ApiKeys(keys));
    this.#agents = keepAliveAgents(lookup);
    this.#put = putAs(attemptTimeoutMs, this.#agents);
    this.#observe = observer(baseUrl, edges.metrics);
    this.#edges = edges;
    this.#onQuota = onQuota;
    edges.metrics.showKey(() => this.#keys().current.name);
  }

  /**
   * Sends a call once; a second time only where CometChat refuses the first key and there is another.
   *
   * @param timeoutMs for both together
   * @param abandoned aborted when nobody waits for the outcome any more
   * @returns what became of it; never throws for anything that CometChat or the network does
   */
  async send(call: Call, timeoutMs: number, abandoned: AbortSignal): Promise<Outcome> {
    const end = performance.now() + timeoutMs;
    let key = this.#keys().begin(performance.now());
    for (;;) {
      const timeLeft = Math.max(1, Math.ceil(end - performance.now()));
      const outcome = await this.#sendWith(key, call, timeLeft, abandoned);
      if (outcome.ok || !isKeyRefusal(outcome.status, outcome.code)) return outcome;
      const other = this.#refused(key);
      if (!other) return outcome;
      key = other;
    }
  }

  /** Closes the connections. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /** @returns the key to try in place of one that was refused, if any; the operator hears of it */
  #refused(key: ApiKey): ApiKey | undefined {
    this.#edges.metrics.keyRefusals.inc({ key: key.name });
    const { other, isNews } = this.#keys().refuse(key, performance.now());
    if (isNews)
      this.#edges.log.error({ key: key.name, instead: other?.name }, 'CometChat refuses an API key');
    return other;
  }

  #sendWith(key: ApiKey, call: Call, totalMs: number, abandoned: AbortSignal): Promise<Outcome> {
    const cut = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const cutSoon = () => {
      timer = setTimeout(() => cut.abort(), LINGER_MS);
    };
    if (abandoned.aborted) cutSoon();
    abandoned.addEventListener('abort', cutSoon);
    const ask = () => this.#ask(key, call, totalMs, cut.signal);
    return this.#observe(call.peer, call.trace, ask).finally(() => {
      clearTimeout(timer);
      abandoned.removeEventListener('abort', cutSoon);
    });
  }

  async #ask({ value }: ApiKey, call: Call, totalMs: number, signal: AbortSignal): Promise<Outcome> {
    const { onBehalfOf, peer, body } = call;
    const url = `${this.#baseUrl}/${peer.type}s/${peer.id}/conversation`;
    try {
      const reply = await this.#put(url, { apikey: value, onBehalfOf }, { body, totalMs, signal });
      const report = readQuota(reply.headers);
      if (report) this.#onQuota(report);
      return interpret(reply, Date.now() / 1000);
    } catch (error) {
      if (error instanceof BrokenOff) return ABANDONED;
      if (error instanceof ReplyRefused) return invalidReply(error.code);
      /* c8 ignore next -- a defect of ours; got has no other errors */
      if (!(error instanceof RequestError)) throw error;
      return broken(error);
    }
  }
}

/** In whose name CometChat acts. A key without a user could see everybody's data, so neither goes alone. */
interface Actor {
  readonly apikey: string;
  readonly onBehalfOf: CometChatId;
}

/** Makes the one way to send anything to CometChat, which takes key and user together. */
function putAs(attemptTimeoutMs: number, agent: ReturnType<typeof keepAliveAgents>) {
  const limits = { totalMs: attemptTimeoutMs, maxBytes: MAX_REPLY_BYTES };
  const send = boundedHttp(limits, {
    method: 'PUT',
    agent,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'cometchat-gateway',
    },
  });
  return (url: string, actor: Actor, options: { body: string; totalMs: number; signal: AbortSignal }) =>
    send(url, { headers: { ...actor }, ...options });
}

/** What came was no HTTP, or nothing came. got's error holds the request's headers: only its code leaves. */
function broken(error: RequestError): Outcome {
  if (error instanceof TimeoutError) {
    return { ok: false, problem: 'cometchat-timeout', errorType: `timeout_${error.event}` };
  }
  if (error.code.startsWith('HPE_')) return invalidReply(error.code);
  return { ok: false, problem: 'cometchat-failed', errorType: error.code };
}
