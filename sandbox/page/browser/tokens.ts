/** Signs a user in at the company's back end. The sandbox plays it here. */
async function signIn(user: string, expired = false): Promise<string> {
  const query = new URLSearchParams({ user, ...(expired && { expired: 'true' }) });
  const response = await fetch(`/page/session?${query}`);
  if (!response.ok) throw new Error(`the sign-in failed with ${response.status}`);
  const { token } = (await response.json()) as { token: string };
  return token;
}

/**
 * @param isExpired whether a request is to begin with a token that has expired
 * @returns the `token` of a client
 */
export function tokensOf(user: string, isExpired: () => boolean): (refused?: unknown) => Promise<string> {
  let current: Promise<string> | undefined;
  return async (refused) => {
    if (!refused && isExpired()) return signIn(user, true);
    if (refused || !current) current = signIn(user);
    try {
      return await current;
    } catch (error) {
      // The next request signs in again.
      current = undefined;
      throw error;
    }
  };
}
