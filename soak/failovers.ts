import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RedisCluster } from '../test/helpers/redis-cluster.ts';
import { now } from './clock.ts';

/** Between one failover and the next, so that most of the time all is well. */
const PAUSE_MS = 8000;

/** A Redis Cluster whose masters are killed one after another, each when the one before is there again, as a replica. */
export class Failovers {
  readonly #cluster: RedisCluster;
  readonly #end: () => Promise<void>;
  /** From the death of each master until all slots were served again, in milliseconds. */
  readonly took: number[] = [];

  private constructor(cluster: RedisCluster, end: () => Promise<void>) {
    this.#cluster = cluster;
    this.#end = end;
  }

  static async start(): Promise<Failovers> {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-soak-'));
    const ends: (() => unknown)[] = [];
    const kill = async () => {
      await Promise.all(ends.map((end) => end()));
      rmSync(folder, { recursive: true, force: true });
    };
    process.once('exit', () => void kill());
    const owner = { testdir: () => folder, teardown: (end: () => unknown) => void ends.push(end) };
    return new Failovers(await RedisCluster.start(owner), kill);
  }

  get url(): string {
    return this.#cluster.url;
  }

  /** Kills masters until it is stopped. */
  async run(stop: AbortSignal): Promise<void> {
    const cluster = this.#cluster;
    for (let number = 0; !stop.aborted; number += 1) {
      await wait(PAUSE_MS, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      const masters = await cluster.masters();
      const killedAt = now();
      const master = masters[number % masters.length];
      await master?.kill();
      await cluster.isWhole();
      this.took.push(now() - killedAt);
      await master?.start();
      await cluster.isWhole(1);
    }
  }

  end(): Promise<void> {
    return this.#end();
  }
}
