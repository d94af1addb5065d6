import { type Deadline, startDeadline } from './deadline.ts';
import { GatewayError } from './errors.ts';
import { type Call, exchange } from './exchange.ts';
import { inLane, type Lanes } from './lane.ts';
import { retryDelayMs } from './retry.ts';
import { checked, type TokenSource, withSharedRefresh } from './token.ts';

export interface ClientOptions {
  /** Where the gateway is: `https://chat-gateway.example.com`. */
  readonly baseUrl: string;
  /**
   * Called for each request. Where the gateway has refused the last token as expired, `refused` is its problem, and the
   * request is sent once more with another token. Without this option, requests carry the browser's session cookie.
   */
  readonly token?: TokenSource | undefined;
  /** For a whole operation, with all its attempts and waits. 10 seconds unless given. */
  readonly timeoutMs?: number | undefined;
  /** The platform's own unless given. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface CallOptions {
  /** Ends the operation, which rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** In the place of the client's. */
  readonly timeoutMs?: number | undefined;
}

export type Send = <T>(call: Call<T>, options?: CallOptions) => Promise<T>;

const ADDRESS = /^https?:\/\/[^?#\s]+$/;

/** Makes the function that sends the requests of a client, and repeats those that may succeed later. */
export function sender(client: ClientOptions): Send {
  const token = client.token && withSharedRefresh(client.token);
  if (!ADDRESS.test(client.baseUrl)) throw new TypeError('baseUrl must be an http(s) address');
  const base = client.baseUrl.replace(/\/+$/, '');

  /** @param failed called with the error of each attempt that failed */
  async function attempts<T>(
    call: Call<T>,
    deadline: Deadline,
    failed: (failure: GatewayError) => void,
  ): Promise<T> {
    let refused: GatewayError | undefined;
    let mayRefresh = token !== undefined;
    let bearer: string | undefined;
    for (let attempt = 1; ; ) {
      const next = token && checked(await deadline.within(() => token(refused, bearer)));
      if (refused && next === bearer) throw refused;
      bearer = next;
      refused = undefined;
      const outcome = await deadline.within(() =>
        exchange(client.fetch ?? globalThis.fetch, base + call.path, call, bearer, deadline.signal),
      );
      if (!(outcome instanceof GatewayError)) return outcome.value;
      failed(outcome);
      if (outcome.code === 'session-expired' && mayRefresh) {
        mayRefresh = false;
        refused = outcome;
        continue;
      }
      const delayMs = retryDelayMs(outcome, attempt);
      if (delayMs >= deadline.leftMs()) throw outcome;
      await deadline.pause(delayMs);
      attempt += 1;
    }
  }

  async function operation<T>(
    call: Call<T>,
    { signal, timeoutMs = client.timeoutMs ?? 10_000 }: CallOptions = {},
    before?: Promise<unknown>,
  ): Promise<T> {
    let cause: GatewayError | undefined;
    const timeoutError = () => new GatewayError('timeout', `No answer within ${timeoutMs} ms`, { cause });
    const deadline = startDeadline(timeoutMs, signal, timeoutError);
    try {
      await deadline.within(() => before);
      return await attempts(call, deadline, (failure) => {
        cause = failure;
      });
    } finally {
      deadline.end();
    }
  }

  const lanes: Lanes = new Map();
  return (call, options) =>
    call.lane
      ? inLane(lanes, call.lane, (before) => operation(call, options, before))
      : operation(call, options);
}
