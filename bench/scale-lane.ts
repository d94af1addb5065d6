import { Pool } from 'undici';
import { type Place, type Running, startGateway, startUpstream } from './contestants.ts';
import type { HotLane, Writes } from './scale-results.ts';
import { percentiles } from './statistics.ts';
import { callsOf } from './users.ts';

const COMETCHAT_MS = [0, 50] as const;
const REPLICAS = [1, 2] as const;
/** A newer PUT ends the one before, so one client has no more than one under way. PATCHes are sent together. */
const CLIENTS = { PUT: 1, PATCH: 4 } as const;
const WARM_UP_SECONDS = 0.5;
const SECONDS = 2;

/** Lets one user write to one conversation as fast as answers come, through one replica and through two. */
export async function measureLanes(
  { folder }: Place,
  redisUrl: string,
  say: (text: string) => void,
): Promise<HotLane[]> {
  const lanes: HotLane[] = [];
  for (const cometchatMs of COMETCHAT_MS) {
    const { program, port } = await startUpstream(folder, cometchatMs);
    const env = { REDIS_URL: redisUrl, RATE_LIMIT_PER_MINUTE: '1000000' };
    const replicas = await Promise.all(
      Array.from({ length: Math.max(...REPLICAS) }, (_, index) =>
        startGateway(`lane-${cometchatMs}-${index}`, { upstream: port, folder }, { env }),
      ),
    );
    for (const count of REPLICAS) {
      say(`scale: one lane, ${count} replicas, CometChat takes ${cometchatMs} ms`);
      const used = replicas.slice(0, count);
      lanes.push({
        replicas: count,
        cometchatMs,
        PUT: await write(used, 'PUT'),
        PATCH: await write(used, 'PATCH'),
      });
    }
    for (const replica of replicas) await replica.program.stop();
    await program.stop();
  }
  return lanes;
}

async function write(replicas: readonly Running[], method: keyof typeof CLIENTS): Promise<Writes> {
  const next = (await callsOf('hot', 1))[method];
  const pools = replicas.map(({ origin }) => new Pool(origin));
  let count = 0;
  const latencies: number[] = [];
  let answered = 0;
  const client = async (pool: Pool, end: number, isCounted: boolean) => {
    while (performance.now() < end) {
      const start = performance.now();
      const { path, headers } = next();
      count += 1;
      const { statusCode, body } = await pool.request({
        method,
        path,
        headers: headers ?? null,
        body: bodyOf(method, count),
      });
      await body.dump();
      if (!isCounted) continue;
      latencies.push(performance.now() - start);
      if (statusCode === 200) answered += 1;
    }
  };
  const run = (seconds: number, isCounted: boolean) => {
    const end = performance.now() + seconds * 1000;
    const clients = pools.flatMap((pool) => Array.from({ length: CLIENTS[method] }, () => pool));
    return Promise.all(clients.map((pool) => client(pool, end, isCounted)));
  };
  await run(WARM_UP_SECONDS, false);
  const before = await writesOf(replicas);
  const start = performance.now();
  await run(SECONDS, true);
  const seconds = (performance.now() - start) / 1000;
  const writes = (await writesOf(replicas)) - before;
  await Promise.all(pools.map((pool) => pool.close()));
  return {
    clients: CLIENTS[method] * replicas.length,
    perSecond: answered / seconds,
    answered: answered / latencies.length,
    writesPerSecond: writes / seconds,
    ...percentiles(Float64Array.from(latencies).sort()),
  };
}

/** Each time with other tags, in the same conversation. */
const bodyOf = (method: keyof typeof CLIENTS, count: number): string =>
  JSON.stringify({
    ...(method === 'PUT' ? { tags: ['archived', `t${count}`] } : { add: [`t${count}`], remove: ['inbox'] }),
    conversationWith: 'cometchat-uid-1',
  });

/** @returns how many PUTs these gateways have sent to CometChat */
async function writesOf(replicas: readonly Running[]): Promise<number> {
  let sum = 0;
  for (const { program } of replicas) {
    const [, address = ''] = await program.says(/"metrics":"(http[^"]+)"/);
    const metrics = await (await fetch(address)).text();
    const lines = metrics.matchAll(
      /^http_client_request_duration_seconds_count\{.*method="PUT".*\} (\d+)$/gm,
    );
    for (const [, value] of lines) sum += Number(value);
  }
  return sum;
}
