import type { GatewayError } from './errors.ts';

/**
 * Gives the session token for a request.
 *
 * @param refused the gateway's problem, where the last token has expired
 */
export type TokenSource = (refused?: GatewayError) => string | Promise<string>;

/** Lets requests that are refused at the same time share one refresh: many refresh tokens are good for one use. */
export function withSharedRefresh(token: TokenSource): TokenSource {
  let refresh: Promise<string> | undefined;
  const once = async (refused: GatewayError) => {
    try {
      return await token(refused);
    } finally {
      refresh = undefined;
    }
  };
  return (refused) => {
    if (!refused) return token();
    refresh ??= once(refused);
    return refresh;
  };
}
