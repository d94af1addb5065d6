/** Signs a user in at the company's back end. The sandbox plays it here. */
async function signIn(user: string, expired = false): Promise<string> {
  const query = new URLSearchParams({ user, ...(expired && { expired: 'true' }) });
  const response = await fetch(`/page/session?${query}`);
  if (!response.ok) throw new Error(`the sign-in failed with ${response.status}`);
  const { token } = (await response.json()) as { token: string };
  return token;
}

/**
 * @param isExpired whether a request is to begin with a token that has expired. That is the same one each time: another
 *   would pass for one that a request at the same time has refreshed
 * @returns the `token` of a client
 */
export function tokensOf(user: string, isExpired: () => boolean): (refused?: unknown) => Promise<string> {
  const tokens: { good?: Promise<string>; expired?: Promise<string> } = {};
  return async (refused) => {
    const kind = !refused && isExpired() ? 'expired' : 'good';
    if (refused) delete tokens.good;
    tokens[kind] ??= signIn(user, kind === 'expired');
    try {
      return await tokens[kind];
    } catch (error) {
      // The next request signs in again.
      delete tokens[kind];
      throw error;
    }
  };
}
