import http from 'node:http';
import https from 'node:https';
import { RequestError, TimeoutError } from 'got';
import { boundedHttp, ReplyTooLarge, receive } from '../bounded-http.ts';
import type { ProblemCode } from '../problem.ts';
import { type CometChatId, readConversations, readErrorCode, type UpstreamConversation } from './contract.ts';
import { problemOf } from './errors.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** The documented reply has 3 KB; one of many conversations stays well below this. */
const MAX_REPLY_BYTES = 256 * 1024;

export interface CometChatConfig {
  /** With the API version's path and without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Over all tries of one call, and for each of them. */
  readonly deadlineMs: number;
  readonly attemptTimeoutMs: number;
}

/** A conversation as CometChat's path names it: the one with this user, or of this group. */
export type Peer = { readonly type: 'user' | 'group'; readonly id: CometChatId };

/** What became of a call; `status`, `code` and `errorType` are for the log. */
export type Outcome = { readonly status?: number; readonly code?: string } & (
  | { readonly ok: true; readonly conversations: UpstreamConversation[] }
  | {
      readonly ok: false;
      readonly problem: ProblemCode;
      /** CometChat's code, a Node.js error code, or what was wrong with the reply. */
      readonly errorType: string;
      readonly retryAfterSeconds?: number;
    }
);

/** Makes the calls to CometChat. The only place that holds the REST API key. */
export class CometChatClient {
  readonly #config: CometChatConfig;
  readonly #agents = {
    http: new http.Agent({ keepAlive: true }),
    https: new https.Agent({ keepAlive: true }),
  };
  readonly #put: ReturnType<typeof putAs>;

  constructor(config: CometChatConfig) {
    this.#config = config;
    this.#put = putAs(config, this.#agents);
  }

  /**
   * Replaces the tags that one user has put on one conversation ("Update User Conversation").
   *
   * @param onBehalfOf the user who acts
   * @param peer whose conversation with that user is meant
   * @param tags the whole new set
   * @returns what became of it; never throws for anything that CometChat or the network does
   */
  async updateTags(onBehalfOf: CometChatId, peer: Peer, tags: readonly string[]): Promise<Outcome> {
    const { baseUrl, apiKey } = this.#config;
    const url = `${baseUrl}/${peer.type}s/${peer.id}/conversation`;
    try {
      const reply = await this.#put(url, { apikey: apiKey, onBehalfOf }, JSON.stringify({ tags }));
      return interpret(reply.statusCode, reply.headers, reply.rawBody);
    } catch (error) {
      if (error instanceof ReplyTooLarge) return invalidReply(error.code);
      if (error instanceof RequestError) return broken(error);
      throw error;
    }
  }

  /** Closes the idle connections. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

/** In whose name CometChat acts. A key without a user could see everybody's data, so neither goes alone. */
interface Actor {
  readonly apikey: string;
  readonly onBehalfOf: CometChatId;
}

/** Makes the one way to send anything to CometChat, which takes key and user together. */
function putAs(
  { deadlineMs, attemptTimeoutMs }: CometChatConfig,
  agent: { http: http.Agent; https: https.Agent },
) {
  const client = boundedHttp(Math.min(deadlineMs, attemptTimeoutMs), {
    agent,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'cometchat-gateway',
    },
  });
  return (url: string, actor: Actor, body: string) =>
    receive(client, url, { method: 'PUT', headers: { ...actor }, body }, MAX_REPLY_BYTES);
}

/** Decides by the body what a reply means; by the status where the body says nothing. */
function interpret(status: number, headers: http.IncomingHttpHeaders, rawBody: Uint8Array): Outcome {
  const body = parseJson(headers, rawBody);
  const code = readErrorCode(body);
  const success = status >= 200 && status < 300;
  if (success && code === undefined) {
    const conversations = readConversations(body);
    return conversations ? { ok: true, status, conversations } : { ...invalidReply('reply_invalid'), status };
  }
  // Not followed: the key would go along to wherever it points.
  if (status >= 300 && status < 400) return { ...invalidReply('redirect'), status };
  const problem = problemOf(status, code);
  return {
    ok: false,
    status,
    ...(code !== undefined && { code }),
    problem,
    errorType: code ?? String(status),
    ...(problem === 'cometchat-busy' && {
      retryAfterSeconds: retryAfterSeconds(headers, Date.now() / 1000),
    }),
  };
}

/** Keeps a byte-order mark, which JSON.parse() then refuses, as it should (RFC 8259, section 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns the parsed body, or undefined where it is no JSON */
function parseJson(headers: http.IncomingHttpHeaders, rawBody: Uint8Array): unknown {
  const type = headers['content-type'];
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(utf8.decode(rawBody));
  } catch {
    return undefined;
  }
}

const invalidReply = (errorType: string) =>
  ({ ok: false, problem: 'cometchat-reply-invalid', errorType }) as const;

/** The connection failed or took too long. got's error holds the request's headers: only its code leaves. */
function broken(error: RequestError): Outcome {
  return error instanceof TimeoutError
    ? { ok: false, problem: 'cometchat-timeout', errorType: `timeout_${error.event}` }
    : { ok: false, problem: 'cometchat-failed', errorType: error.code };
}
