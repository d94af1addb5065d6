import type { CometChatId } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import { ExchangeError } from '../base/exchange.ts';
import type { HttpClient } from '../base/http-client.ts';
import type { Services } from '../base/services.ts';
import type { Call, Send } from './call.ts';
import { PARTS } from './conversation.ts';
import { BY_CODE, failedExchange } from './errors.ts';
import type { Failure, Outcome } from './outcome.ts';
import { interpret } from './reply.ts';

/** The documented reply has 3 KB. An operation whose reply may be longer says so. */
export const MAX_REPLY_BYTES = 256 * 1024;

/**
 * An exchange whose clients have all left may go on for so long. Apps cancel a call to send a newer one at once, which must
 * not pass the old one on its way.
 */
const LINGER_MS = 250;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** What an exchange needs beside its call. */
export interface Attempt {
  readonly apiKey: string;
  /** When it is given up, by the clock. */
  readonly endsAt: number;
}

/** In whose name CometChat acts. A key without a user could see everybody's data, so neither goes alone. */
interface Actor {
  readonly apikey: string;
  readonly onBehalfOf: CometChatId;
}

const HEADERS = {
  accept: 'application/json',
  'content-type': 'application/json',
  'user-agent': 'cometchat-gateway',
};

/** The last step: sends a call once and reads the reply. Each exchange is measured, and is a span of the request's trace. */
export function exchange(
  http: HttpClient,
  baseUrl: string,
  { metrics, seams: { clock } }: Services,
): Send<Attempt> {
  const { protocol, hostname, port } = new URL(baseUrl);
  const server = { serverAddress: hostname, serverPort: Number(port || DEFAULT_PORTS[protocol]) };
  const duration = metrics.duration(
    'http_client_request_duration_seconds',
    'How long single HTTP exchanges with CometChat took',
    [
      'http_request_method',
      'url_template',
      'http_response_status_code',
      'error_type',
      'server_address',
      'server_port',
    ],
  );
  const leftOut = metrics.counter(
    'reply_parts_left_out_total',
    'Replies of CometChat that had this part of a conversation in an odd form; it was left out',
    { part: PARTS },
  );
  const dropped = metrics.counter(
    'reply_items_dropped_total',
    'Conversations in replies of CometChat that were dropped because they had no type or ids',
  );
  return async (call) => {
    const { method, pathTemplate: urlTemplate } = call.operation;
    const startedAt = clock.now();
    const end = call.trace?.startCall({ method, urlTemplate, ...server });
    const outcome = await send(http, baseUrl, clock, call);
    const errorType = outcome.ok ? undefined : boundedErrorType(outcome);
    duration.observe(
      {
        http_request_method: method,
        url_template: urlTemplate,
        http_response_status_code: outcome.status ?? '',
        error_type: errorType ?? '',
        server_address: server.serverAddress,
        server_port: server.serverPort,
      },
      (clock.now() - startedAt) / 1000,
    );
    if (outcome.ok) {
      for (const part of outcome.leftOut ?? []) leftOut.inc({ part });
      dropped.inc(outcome.dropped ?? 0);
    }
    end?.(outcome.status, errorType);
    return outcome;
  };
}

/** CometChat can make up codes; all other error types are ours, Node.js' or a status. */
const boundedErrorType = ({ errorType, code }: Failure): string =>
  code === undefined || Object.hasOwn(BY_CODE, code) ? errorType : '_OTHER';

async function send<T>(
  http: HttpClient,
  baseUrl: string,
  clock: Clock,
  { operation, onBehalfOf, apiKey, endsAt, waiters: { abandoned } }: Call<T> & Attempt,
): Promise<Outcome<T>> {
  const actor: Actor = { apikey: apiKey, onBehalfOf };
  const cut = new AbortController();
  let spare = () => {};
  const cutSoon = () => {
    spare = clock.after(LINGER_MS, () => cut.abort());
  };
  if (abandoned.aborted) cutSoon();
  abandoned.addEventListener('abort', cutSoon);
  const replied = http
    .send(baseUrl + operation.path, {
      method: operation.method,
      headers: { ...HEADERS, ...actor },
      body: operation.body,
      totalMs: Math.max(1, Math.ceil(endsAt - clock.now())),
      maxBytes: Math.max(MAX_REPLY_BYTES, operation.maxReplyBytes ?? 0),
      signal: cut.signal,
    })
    .finally(() => {
      spare();
      abandoned.removeEventListener('abort', cutSoon);
    });
  try {
    return interpret(await replied, operation.read, Date.now() / 1000);
  } catch (error) {
    // A defect of ours.
    if (!(error instanceof ExchangeError)) throw error;
    return failedExchange(error.code);
  }
}
