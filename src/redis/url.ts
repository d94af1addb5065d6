/** Where Redis is, and how the gateway signs in there. */
export interface RedisTarget {
  /** One server, the nodes of a Redis Cluster, or sentinels that know the master. */
  readonly kind: 'single' | 'cluster' | 'sentinel';
  readonly isTls: boolean;
  /** The server, or the nodes or sentinels to ask first. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** The name that the sentinels know the master by; empty for the other kinds. */
  readonly master: string;
  readonly db: number;
  /** As they are sent. */
  readonly username: string;
  readonly password: string;
  /** The password in each form that a log line could hold. */
  readonly passwords: readonly string[];
}

const PARTS =
  /^(?<protocol>rediss?)(?:\+(?<kind>cluster|sentinel))?:\/\/(?:(?<username>[^:/?#]*)(?::(?<password>[^/?#]*))?@)?(?<hosts>[^/?#@]+)(?<path>\/[^?#]*)?$/i;

const PORTS = { single: 6379, cluster: 6379, sentinel: 26379 } as const;

/** What stands behind the hosts, and how it is written. */
const PATHS = {
  single: {
    pattern: /^\/?(?<db>\d*)$/,
    fault: 'must have the number of a database as its path, or none; a "/" in a password is written %2F',
  },
  cluster: {
    pattern: /^\/?$/,
    fault:
      'must have no path, since a Redis Cluster has one database only; a "/" in a password is written %2F',
  },
  sentinel: {
    pattern: /^\/(?<master>[\w.-]+)(?:\/(?<db>\d+))?$/,
    fault:
      'must have the name of the master as its path, as in "sentinel monitor <name>", and the number of a database behind it, or none',
  },
} as const;

/**
 * Reads the address of a Redis.
 *
 * @throws Error whose message says what is wrong with it, and never repeats it
 */
export function parseRedisUrl(text: string): RedisTarget {
  const parts = PARTS.exec(text)?.groups;
  const kind = (parts?.kind?.toLowerCase() ?? 'single') as RedisTarget['kind'];
  const hosts = parts?.hosts?.split(',').map((item) => hostIn(item, PORTS[kind])) ?? [];
  if (!parts || hosts.includes(undefined) || (kind === 'single' && hosts.length > 1)) {
    throw new Error(
      'must be a URL such as redis://host:6379/0, redis+cluster://host1:6379,host2:6379 or redis+sentinel://host1:26379,host2:26379/mymaster/0, or the same with rediss for TLS, without query or fragment',
    );
  }
  const path = PATHS[kind].pattern.exec(parts.path ?? '')?.groups;
  if (!path && !PATHS[kind].pattern.test(parts.path ?? '')) throw new Error(PATHS[kind].fault);
  const [username, password] = [parts.username ?? '', parts.password ?? ''];
  if (kind !== 'single' && password.includes('@')) {
    throw new Error('must have user and password once, before the first host, and "%40" for an "@" in them');
  }
  const [sentUsername, sentPassword] = [username, password].map(decoded);
  if (sentUsername === undefined || sentPassword === undefined) {
    throw new Error('must have user and password percent-encoded: "%25" for a "%"');
  }
  return {
    kind,
    isTls: parts.protocol?.toLowerCase() === 'rediss',
    hosts: hosts.filter((host) => host !== undefined),
    master: path?.master ?? '',
    db: Number(path?.db ?? 0),
    username: sentUsername,
    password: sentPassword,
    passwords: password === '' ? [] : [password, sentPassword],
  };
}

function hostIn(text: string, usualPort: number): { host: string; port: number } | undefined {
  const { hostname, port } = URL.parse(`redis://${text}`) ?? { hostname: '', port: '' };
  if (hostname === '') return undefined;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || usualPort) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** @returns whether two addresses lead to the same database, user and password aside */
export function isSameRedis(one: RedisTarget, other: RedisTarget): boolean {
  const [a, b] = [one, other].map(({ username, password, passwords, ...where }) => JSON.stringify(where));
  return a === b;
}
