import { isLoopback } from '../base/loopback.ts';

/** A name without a dot, which only a private network such as Compose's can know. */
const PRIVATE_NAME = /^[a-z][a-z0-9-]*$/;

/** @returns where an app of CometChat's cloud has its REST API */
export const cloudBaseUrl = (appId: string, region: string): string =>
  `https://${appId}.api-${region}.cometchat.io/v3`;

/**
 * Reads a base URL given whole, as dedicated and on-premise installs have them.
 *
 * @returns it without a slash at its end
 * @throws Error whose message says what is wrong with it, and never repeats it
 */
export function parseBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Error('must be the whole base URL of the API, as in https://api.chat.example/v3');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Error('must have no user, password, query or fragment');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !PRIVATE_NAME.test(url.hostname)) {
    throw new Error(
      'must begin with https://, since the API key goes there; http:// is for loopback and names without a dot',
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}
