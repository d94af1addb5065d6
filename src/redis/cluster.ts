import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { errorType } from '../base/error-type.ts';
import type { Rotating } from '../base/rotating.ts';
import type { Health } from './health.ts';
import { passLaterErrors } from './later-errors.ts';
import { CONNECT_TIMEOUT_MS, connectionOptions, reconnectDelay, signInAs } from './options.ts';
import { endWhenSilent } from './silence.ts';
import type { RedisTarget } from './url.ts';

const LOOK_EVERY_MS = 250;
/** To open the first connections takes a while: the nodes must be learned, and TLS begins with each. */
const LOOKS_UNTIL_LOST = CONNECT_TIMEOUT_MS / LOOK_EVERY_MS;
const SLOTS = 16_384;

const NO_CLUSTER = 'REDIS_URL leads to no Redis Cluster: write redis:// or redis+sentinel://';

/**
 * Makes the connections to a Redis Cluster: one to each node. A command goes to the master of its key's slot. While that cannot be
 * reached its commands fail within a few tries, and those of other slots do not.
 */
export async function redisCluster(
  target: Rotating<RedisTarget>,
  health: Health,
): Promise<{ client: Cluster; close: () => void }> {
  const { Cluster, Redis } = await import('ioredis');
  const { hosts } = target.current;
  const cluster = new Cluster([...hosts], {
    lazyConnect: true,
    enableOfflineQueue: false,
    // Each connection makes its own ready check.
    enableReadyCheck: false,
    scaleReads: 'master',
    // A name stays a name: the certificate is for it.
    dnsLookup: (address, callback) => callback(null, address),
    clusterRetryStrategy: reconnectDelay,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    // Enough for a slot that has moved and a connection that is just being made.
    maxRedirections: 6,
    retryDelayOnFailover: 25,
    retryDelayOnTryAgain: 25,
    retryDelayOnClusterDown: 0,
    redisOptions: connectionOptions(target.current),
  });
  let lastError = 'closed';
  const note = (error: Error) => {
    const type = errorType(error);
    // That is what becomes of a command, and the reason has been told before.
    if (type !== 'disconnected') lastError = type;
  };
  cluster.on('+node', (node: Redis) => {
    signInAs(node.options, target);
    endWhenSilent(node);
    passLaterErrors(node);
    // A replica that is asked for a key names its master, unless it is told that old answers will do.
    node.readonly = node.readwrite = async () => 'OK';
    // ioredis sends it before a command whose slot is being moved, and a refusal that nobody hears of would end the process.
    const announce = node.asking.bind(node);
    node.asking = () => announce().catch(() => 'OK');
    // The slots are asked for on a copy, and ioredis does not tell of its errors.
    node.duplicate = (options?: Partial<RedisOptions>) => {
      const copy = Redis.prototype.duplicate.call(node, { ...options, readOnly: false });
      passLaterErrors(copy);
      return copy.on('error', note);
    };
    node.on('ready', () => isComplete(cluster) && health.restored());
    // A command that was redirected to it goes first, and waits for it.
    setImmediate(() => node.status === 'wait' && node.connect().catch(() => {}));
  });
  cluster.on('-node', (node: Redis) => {
    // One that has no slot is left: the name in REDIS_URL, once the addresses are known, or a master that was replaced.
    if (cluster.status !== 'ready' || !hasSlot(cluster, node)) return;
    health.lost(lastError);
    cluster.refreshSlotsCache();
  });
  cluster.on('node error', note);
  cluster.on('error', ({ lastNodeError }: { lastNodeError?: Error }) => {
    const isOther = /cluster support disabled|unknown command/i.test(String(lastNodeError));
    if (isOther) health.misconfigured(NO_CLUSTER);
    else health.lost(lastError);
  });
  let looksInVain = 0;
  const look = () => {
    looksInVain = isComplete(cluster) ? 0 : looksInVain + 1;
    if (looksInVain === 0) {
      lastError = 'closed';
      health.restored();
      return;
    }
    if (looksInVain >= LOOKS_UNTIL_LOST) health.lost(lastError);
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  };
  let looks: NodeJS.Timeout | undefined;
  cluster.once('connecting', () => {
    looks = setInterval(look, LOOK_EVERY_MS).unref();
  });
  const close = () => {
    clearInterval(looks);
    cluster.disconnect();
  };
  return { client: cluster, close };
}

/** Whether every slot has a master that can be asked. */
function isComplete(cluster: Cluster): boolean {
  if (cluster.status !== 'ready') return false;
  const ready = new Set<string>();
  for (const node of cluster.nodes('master')) if (node.status === 'ready') ready.add(keyOf(node));
  for (let slot = 0; slot < SLOTS; slot += 1) {
    if (!ready.has(String(cluster.slots[slot]?.[0]))) return false;
  }
  return true;
}

const hasSlot = (cluster: Cluster, node: Redis): boolean =>
  cluster.slots.some(([master]) => master === keyOf(node));

/** A node as the table of slots calls it. */
const keyOf = ({ options }: Redis): string => `${options.host}:${options.port}`;
