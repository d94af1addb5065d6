import type { Redis, RedisOptions } from 'ioredis';
import { errorType } from '../base/error-type.ts';
import type { Rotating } from '../base/rotating.ts';
import { passLaterErrors } from './later-errors.ts';
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
    passLaterErrors(watch);
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

/** What makes the connections to sentinels, which ioredis keeps to itself. */
interface Asks {
  readonly connector: { connectToSentinel(sentinel: unknown, options?: RedisOptions): Redis };
}

/**
 * Takes note of why sentinels cannot be asked for the master.
 *
 * @returns gives what is known of the one that was asked last: advice where REDIS_URL is wrong, and the type of the error
 */
export function sentinelAnswers(redis: Redis): () => { advice?: string; type: string } {
  let said = '';
  let type = '';
  const { connector } = redis as unknown as Asks;
  const { connectToSentinel } = connector;
  connector.connectToSentinel = (sentinel) => {
    const client = connectToSentinel.call(connector, sentinel, {
      lazyConnect: true,
      disableClientInfo: true,
    });
    passLaterErrors(client);
    type = '';
    return client.on('error', (error) => {
      type = errorType(error);
    });
  };
  redis.on('sentinelError', ({ message }: Error) => {
    said = message;
  });
  return () => {
    const [, advice] = ANSWERS.find(([answer]) => answer.test(said)) ?? [];
    // ioredis tells of its address before.
    const cause = said.replace(/^.* because /s, '');
    return { type: type || errorType(new Error(cause)), ...(advice && { advice }) };
  };
}
