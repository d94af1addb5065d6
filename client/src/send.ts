import { type Deadline, startDeadline } from './deadline.ts';
import { GatewayError } from './errors.ts';
import { type Call, exchange } from './exchange.ts';

export interface ClientOptions {
  /** Where the gateway is: `https://chat-gateway.example.com`. */
  readonly baseUrl: string;
  /**
   * Gives the session token for a request. Without it, requests carry the browser's session cookie.
   *
   * @param refused the gateway's problem where the last token had expired: the request is sent once more with another token
   */
  readonly token?: ((refused?: GatewayError) => string | Promise<string>) | undefined;
  /** For a whole operation, with all its attempts and waits. 10 seconds unless given. */
  readonly timeoutMs?: number | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** In the place of the client's. */
  readonly timeoutMs?: number | undefined;
}

const MAX_ATTEMPTS = 3;
const FIRST_WAIT_MS = 200;

export type Send = <T>(call: Call<T>, options?: CallOptions) => Promise<T>;

/** Makes the function that sends the requests of a client, and repeats those that may succeed later. */
export function sender(client: ClientOptions): Send {
  const tokenFor = withSharedRefresh(client.token);
  const base = client.baseUrl.replace(/\/+$/, '');

  async function attempts<T>(call: Call<T>, deadline: Deadline, onFailure: (failure: GatewayError) => void) {
    let refused: GatewayError | undefined;
    let token: string | undefined;
    let hasRefreshed = false;
    for (let attempt = 1; ; ) {
      const next = await deadline.within(() => tokenFor?.(refused));
      if (refused && next === token) throw refused;
      token = next;
      refused = undefined;
      const outcome = await deadline.within(() =>
        exchange(client.fetch ?? globalThis.fetch, base + call.path, call, token, deadline.signal),
      );
      if (!(outcome instanceof GatewayError)) return outcome.value;
      onFailure(outcome);
      if (outcome.code === 'session-expired' && tokenFor && !hasRefreshed) {
        hasRefreshed = true;
        refused = outcome;
        continue;
      }
      const waitMs = waitMsAfter(outcome, attempt);
      if (attempt === MAX_ATTEMPTS || !isTransient(outcome) || waitMs >= deadline.leftMs()) throw outcome;
      await deadline.pause(waitMs);
      attempt += 1;
    }
  }

  return async (call, { signal, timeoutMs = client.timeoutMs ?? 10_000 } = {}) => {
    let cause: GatewayError | undefined;
    const timeoutError = () =>
      new GatewayError('timeout', `The gateway did not answer within ${timeoutMs} ms`, { cause });
    const deadline = startDeadline(timeoutMs, signal, timeoutError);
    try {
      return await attempts(call, deadline, (failure) => {
        cause = failure;
      });
    } finally {
      deadline.end();
    }
  };
}

/** Whether the same request may succeed a little later. Each one is safe to send again. */
function isTransient({ code, status }: GatewayError): boolean {
  switch (status) {
    case undefined:
    case 408:
    case 429:
    case 503:
    case 504:
      return true;
    case 502:
      return code === 'cometchat-failed' || code === 'unknown-reply';
    default:
      return false;
  }
}

/** How long the reply asks to wait, else a random time that grows. */
const waitMsAfter = ({ retryAfterSeconds }: GatewayError, attempt: number): number =>
  retryAfterSeconds === undefined
    ? (FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random() / 2)) / 2
    : retryAfterSeconds * 1000;

/** Requests that are refused at the same time share one refresh: many refresh tokens are good for one use. */
function withSharedRefresh(token: ClientOptions['token']) {
  let refresh: Promise<string> | undefined;
  return (
    token &&
    (async (refused: GatewayError | undefined) => {
      if (!refused) return token();
      refresh ??= (async () => token(refused))().finally(() => {
        refresh = undefined;
      });
      return refresh;
    })
  );
}
