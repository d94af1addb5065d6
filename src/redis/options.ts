import type { RedisOptions } from 'ioredis';
import type { Rotating } from '../base/rotating.ts';
import type { RedisTarget } from './url.ts';

export const CONNECT_TIMEOUT_MS = 1000;
/** A command takes well under a millisecond; a request waits no longer than this for a Redis that hangs. */
const COMMAND_TIMEOUT_MS = 500;
export const LONGEST_RECONNECT_DELAY_MS = 1000;

/** What every connection to a Redis has in common. */
export const connectionOptions = (target: RedisTarget) =>
  ({
    lazyConnect: true,
    connectionName: 'cometchat-gateway',
    // From Redis 7.2 on a user would need a right for it, which an older one does not know.
    disableClientInfo: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    autoResendUnfulfilledCommands: false,
    // However long Redis says that it is going to load its data.
    maxLoadingRetryTime: LONGEST_RECONNECT_DELAY_MS,
    ...(target.isTls && { tls: {} }),
  }) satisfies RedisOptions;

export const reconnectDelay = (attempt: number): number => Math.min(attempt * 50, LONGEST_RECONNECT_DELAY_MS);

/** Lets each new connection sign in as the target says then. */
export function signInAs(options: RedisOptions, target: Rotating<RedisTarget>): void {
  Object.defineProperties(options, {
    username: { get: () => target.current.username, enumerable: true, configurable: true },
    password: { get: () => target.current.password, enumerable: true, configurable: true },
  });
}
