import type { GatewayError } from './errors.ts';

/**
 * Gives the session token for a request.
 *
 * @param refused the gateway's problem, where the last token has expired
 */
export type TokenSource = (refused?: GatewayError) => string | Promise<string>;

/** A refresh that takes longer may never end: the next refused request begins another. */
const SHARED_MS = 10_000;

/**
 * Lets requests that are refused at the same time share one refresh: many refresh tokens are good for one use.
 * The function takes the refused token, too.
 */
export function withSharedRefresh(token: TokenSource) {
  let shared: Promise<string> | undefined;
  let since: number;
  const refresh = async (refused: GatewayError, old: string | undefined) => {
    // Another request may have refreshed it.
    const current = await token();
    return current === old ? token(refused) : current;
  };
  return (refused?: GatewayError, old?: string): string | Promise<string> => {
    if (!refused) return token();
    const now = performance.now();
    if (!shared || now - since > SHARED_MS) {
      const mine = refresh(refused, old);
      const forget = () => {
        if (shared === mine) shared = undefined;
      };
      mine.then(forget, forget);
      shared = mine;
      since = now;
    }
    return shared;
  };
}

/** Throws if no header can have this token; `fetch` would throw as for a gateway that it cannot reach. */
export function checked(token: unknown): string {
  if (typeof token === 'string' && /^[!-~]+$/.test(token)) return token;
  throw new TypeError('token gave no session token');
}
