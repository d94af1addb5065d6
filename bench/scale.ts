import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Place, type Running, startGateway, startRedis } from './contestants.ts';
import { failuresOf, Load, MOST_FAILED, type Request } from './load.ts';
import { CORES } from './program.ts';
import { saturateRedis } from './redis-saturation.ts';
import { field, measureDrops, measureState } from './redis-state.ts';
import type { Call } from './results.ts';
import { titleOf } from './scale-commands.ts';
import { measureHeap } from './scale-heap.ts';
import { measureLanes } from './scale-lane.ts';
import type { RequestCost, Scale } from './scale-results.ts';
import { spreadOf } from './statistics.ts';
import { callsOf } from './users.ts';

/** A list asks Redis the same as another GET. */
const MEASURED = ['PUT', 'PATCH', 'tags'] as const satisfies readonly Call[];
const FIRST_WARM_UP = 2000;
const REQUESTS = 2000;
/** A write gives its lease back when it has been answered. */
const LAST_COMMAND_MS = 200;
/** What is no part of a request. */
const OF_CONNECTIONS = /^(?:ping|info)$/i;
/** As docs/redis.md has it. Its file is not written anew meanwhile: that would be a second load. */
const DURABLE = ['--appendonly', 'yes', '--auto-aof-rewrite-percentage', '0'];

/** Measures what one replica, one Redis and one lane carry, and what they keep. */
export async function measureScale(
  place: Place,
  rounds: number,
  say: (text: string) => void,
): Promise<Scale> {
  const shared = await startRedis(place.folder, { options: DURABLE });
  const requests = await measureRequests(place, shared, rounds, say);
  const lanes = await measureLanes(place, shared.url, say);
  await shared.program.stop();
  const process = await measureHeap(place, say);
  const { program, port } = await startRedis(place.folder, { options: DURABLE, core: CORES.measured });
  const saturation = await saturateRedis(port, () => program.cpuMicroseconds(), rounds, say);
  const redis = new Redis(port);
  await redis.config('SET', 'appendonly', 'no');
  redis.disconnect();
  const state = await measureState(port, say);
  const drops = await measureDrops(port, say);
  await program.stop();
  return { requests, saturation, state, drops, process, lanes };
}

/** What is read before and after some requests. */
interface Reading {
  readonly redisMicroseconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly bytesAppended: number;
  readonly bytesLogged: number;
}
const READ = ['redisMicroseconds', 'bytesIn', 'bytesOut', 'bytesAppended', 'bytesLogged'] as const;

async function measureRequests(
  place: Place,
  { url, port }: { url: string; port: number },
  rounds: number,
  say: (text: string) => void,
): Promise<Scale['requests']> {
  const gateway = await startGateway('scale', place, { env: { REDIS_URL: url } });
  const redis = new Redis(port);
  const calls = await callsOf('scale');
  const costs: Scale['requests'] = {};
  for (const name of MEASURED) {
    const load = new Load(gateway.origin, calls[name]);
    await load.saturate({ requests: FIRST_WARM_UP });
    const commands = await commandsOf(redis, gateway, calls[name]());
    const perSecond: number[] = [];
    const readings: Reading[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      say(`scale: Redis for ${name}, round ${round} of ${rounds}`);
      const before = await read(redis, gateway);
      const answers = await load.saturate({ requests: REQUESTS });
      await wait(LAST_COMMAND_MS);
      const after = await read(redis, gateway);
      if (failuresOf(answers) > REQUESTS * MOST_FAILED) throw new Error(JSON.stringify(answers.statuses));
      perSecond.push(REQUESTS / answers.seconds);
      readings.push(
        Object.fromEntries(
          READ.map((key) => [key, (after[key] - before[key]) / REQUESTS]),
        ) as unknown as Reading,
      );
    }
    await load.close();
    costs[name] = costOf(commands, perSecond, readings);
  }
  redis.disconnect();
  await gateway.program.stop();
  return costs;
}

function costOf(
  commands: readonly string[],
  perSecond: readonly number[],
  readings: readonly Reading[],
): RequestCost {
  const each = (key: keyof Reading) => spreadOf(readings.map((reading) => reading[key]));
  return {
    commands,
    perSecond: spreadOf(perSecond),
    redisMicroseconds: each('redisMicroseconds'),
    bytesIn: each('bytesIn').median,
    bytesOut: each('bytesOut').median,
    bytesAppended: each('bytesAppended').median,
    bytesLogged: each('bytesLogged').median,
  };
}

/** What Redis is asked for one request, but for what its scripts do. */
async function commandsOf(
  redis: Redis,
  { origin }: Running,
  { path, headers, body, method }: Request,
): Promise<string[]> {
  const monitor = await redis.monitor();
  const commands: string[] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua' && !OF_CONNECTIONS.test(args[0] ?? '')) commands.push(titleOf(args));
  });
  const request = { method: method ?? 'PUT', headers: headers as Record<string, string> };
  await fetch(origin + path, body ? { ...request, body: String(body) } : request);
  await wait(LAST_COMMAND_MS);
  monitor.disconnect();
  return commands;
}

async function read(redis: Redis, { program }: Running): Promise<Reading> {
  const info = await redis.info();
  const number = (name: string) => Number(field(info, name));
  return {
    redisMicroseconds: (number('used_cpu_user') + number('used_cpu_sys')) * 1e6,
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    bytesAppended: number('aof_current_size'),
    bytesLogged: program.writtenBytes(),
  };
}
