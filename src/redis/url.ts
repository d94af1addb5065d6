/**
 * Reads the address of a Redis.
 *
 * @returns it in its normal form
 * @throws Error whose message says what is wrong with it, and never repeats it
 */
export function parseRedisUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || url.search || url.hash) {
    throw new Error(
      'must be a URL such as redis://host:6379/0, or rediss:// with TLS, without query or fragment',
    );
  }
  if (!/^\/?\d*$/.test(url.pathname)) {
    throw new Error('must have the number of a database as its path, or none');
  }
  if (![url.username, url.password].every(isEncoded)) {
    throw new Error('must have user and password percent-encoded: "%25" for a "%"');
  }
  return url.href;
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns the password of a Redis URL as it stands there and as it is sent */
export function redisPasswords(url: string): string[] {
  const { password } = new URL(url);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}

/** @returns user and password of a Redis URL as they are sent */
export function redisCredentials(url: string): { username: string; password: string } {
  const { username, password } = new URL(url);
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** @returns whether two Redis URLs lead to the same database, user and password aside */
export function isSameRedis(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => {
    const { protocol, hostname, port, pathname } = new URL(text);
    return [protocol, hostname, port || '6379', pathname.replace(/^\//, '') || '0'].join();
  });
  return a === b;
}
