import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { type Place, type Running, startGateway, startUpstream } from './contestants.ts';
import { failuresOf, Load, type Request } from './load.ts';
import type { ProcessMemory } from './scale-results.ts';
import { requestsOf } from './users.ts';

const USERS = 5000;
/** Compiled code and the pools of connections are there after so many. */
const WARM_UP = 6000;
const UNDER_WAY = 200;
/** Longer than it takes to collect the garbage meanwhile. */
const UNDER_WAY_MS = 2000;
const PATIENT = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '20000', COMETCHAT_DEADLINE_MS: '30000' };
const NODE = ['--expose-gc', '--import=./bench/heap.js'];
const NO_LIMIT = { RATE_LIMIT_PER_MINUTE: '1000000' };

/** Reads what a gateway without Redis keeps for users, for lanes and for requests under way. */
export async function measureHeap(place: Place, say: (text: string) => void): Promise<ProcessMemory> {
  say('scale: memory of the process');
  const gateway = await startGateway('heap', place, { node: NODE, env: NO_LIMIT });
  const heap = heapOf(gateway);
  const warm = await requestsOf('warm', 10);
  const others = await requestsOf('other', USERS);
  await send(gateway, warm, WARM_UP);
  const atFirst = await heap();
  await send(gateway, others, USERS);
  const withUsers = await heap();
  // The same ten users again, each time in another conversation or after the last one is over.
  await send(gateway, warm, USERS);
  const withLanes = await heap();
  await gateway.program.stop();
  return {
    user: (withUsers - atFirst) / USERS,
    lane: (withLanes - withUsers) / USERS,
    underWay: await measureUnderWay(place, warm),
  };
}

async function measureUnderWay({ folder }: Place, next: () => Request): Promise<number> {
  const slow = await startUpstream(folder, UNDER_WAY_MS);
  const place = { upstream: slow.port, folder };
  const gateway = await startGateway('heap-under-way', place, {
    node: NODE,
    env: { ...NO_LIMIT, ...PATIENT },
  });
  const heap = heapOf(gateway);
  const clients = new Pool(gateway.origin);
  const sendAll = () =>
    Promise.all(
      Array.from({ length: UNDER_WAY }, async () => {
        const { statusCode, body } = await clients.request({ method: 'PUT', ...next() });
        await body.dump();
        if (statusCode !== 200) throw new Error(`under way: ${statusCode}`);
      }),
    );
  await sendAll();
  const without = await heap();
  const answers = sendAll();
  await wait(UNDER_WAY_MS / 2);
  const withThem = await heap();
  await answers;
  await clients.close();
  await gateway.program.stop();
  await slow.program.stop();
  return (withThem - without) / UNDER_WAY;
}

async function send({ origin }: Running, next: () => Request, requests: number): Promise<void> {
  const load = new Load(origin, next);
  const answers = await load.saturate({ requests });
  if (failuresOf(answers) > 0) throw new Error(`failed: ${JSON.stringify(answers.statuses)}`);
  await load.close();
}

/** @returns collects the garbage, and reads the heap */
function heapOf({ program }: Running): () => Promise<number> {
  let count = 0;
  return async () => {
    count += 1;
    program.signal('SIGWINCH');
    const [, bytes] = await program.says(new RegExp(`^heap ${count}: (\\d+)$`, 'm'));
    return Number(bytes);
  };
}
