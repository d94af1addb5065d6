import type { Redis, RedisOptions } from 'ioredis';
import type { Rotating } from '../base/rotating.ts';
import { connectionOptions, reconnectDelay } from './options.ts';
import { endWhenSilent } from './silence.ts';
import type { RedisTarget } from './url.ts';

const SENTINEL_TIMEOUT_MS = 500;
const SWITCHED = '+switch-master';

/** What sentinels say where REDIS_URL is wrong, as ioredis tells it. */
const ANSWERS: readonly [RegExp, string][] = [
  [/unknown command/i, 'REDIS_URL leads to no sentinel: write redis:// or redis+cluster://'],
  [
    /No such master|invalid reply: null/,
    'REDIS_URL names a master that the sentinels do not know: write the name of "sentinel monitor"',
  ],
];

/** The options of a connection that asks sentinels for its master each time that it is made. */
export const masterOptions = ({ hosts, master, isTls }: RedisTarget) =>
  ({
    sentinels: [...hosts],
    name: master,
    role: 'master',
    sentinelRetryStrategy: reconnectDelay,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    ...(isTls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
  }) satisfies RedisOptions;

/**
 * Leaves the master as soon as a sentinel tells that another one has taken its place: the old one may be there for seconds more, and
 * not know of it.
 *
 * @returns ends that
 */
export async function followMaster(
  redis: Redis,
  target: RedisTarget,
  password: Rotating<string | undefined>,
): Promise<() => void> {
  const { Redis } = await import('ioredis');
  // The sentinel that is just being asked may not know it yet. And ioredis gives up for good where it is disconnected meanwhile.
  let isStale = false;
  let announced = '';
  const leave = () => {
    isStale = redis.status !== 'ready';
    if (isStale) return;
    // Each sentinel announces it: by the second time the gateway may be there.
    const { remoteAddress, remotePort } = redis.stream;
    if (announced !== `${remoteAddress} ${remotePort}`) redis.disconnect(true);
  };
  redis.on('ready', () => isStale && leave());
  const watches = target.hosts.map(({ host, port }) => {
    const watch = new Redis({
      ...connectionOptions(target),
      host,
      port,
      enableReadyCheck: false,
      autoResubscribe: false,
      retryStrategy: reconnectDelay,
    });
    Object.defineProperty(watch.options, 'password', { get: () => password.current });
    endWhenSilent(watch);
    // The connection to the master tells of sentinels that cannot be asked.
    watch.on('error', () => {});
    watch.on('ready', () => watch.subscribe(SWITCHED).catch(() => {}));
    watch.on('message', (_, text: string) => {
      // "<name> <old host> <old port> <new host> <new port>"
      const [name, , , ...address] = text.split(' ');
      if (name !== target.master) return;
      announced = address.join(' ');
      leave();
    });
    return watch;
  });
  redis.once('connecting', () => {
    for (const watch of watches) watch.connect().catch(() => {});
  });
  return () => {
    for (const watch of watches) watch.disconnect();
  };
}

/**
 * What is known of sentinels none of which has named a master.
 *
 * @param message of ioredis' last "sentinelError"
 * @returns advice where REDIS_URL is wrong, and why the sentinel could not be asked
 */
export function sentinelAnswer(message: string): { advice?: string; cause: string } {
  const [, advice] = ANSWERS.find(([said]) => said.test(message)) ?? [];
  // ioredis tells of its address before.
  const [, cause = message] = / because (.*)/s.exec(message) ?? [];
  return { cause, ...(advice && { advice }) };
}
