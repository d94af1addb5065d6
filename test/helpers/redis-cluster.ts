import type { Certificate } from '../../sandbox/certificates.ts';
import { freePort } from './ports.ts';
import { askRedis, listenOn, makePassword, type Owner, RedisProcess } from './redis-server.ts';
import { until } from './until.ts';

const SLOTS = 16_384;

/** A real Redis Cluster on free ports, with a password and no file that outlives the test. */
export class RedisCluster {
  password = makePassword();
  readonly nodes: readonly RedisProcess[];
  readonly #scheme: string;
  readonly #ids = new Map<RedisProcess, string>();

  private constructor(scheme: string, nodes: (password: string) => readonly RedisProcess[]) {
    this.#scheme = scheme;
    this.nodes = nodes(this.password);
  }

  /** @param options `nodeTimeoutMs`: when a node that does not answer counts as dead; `certificate`: of TLS, which this process must trust */
  static start(t: Owner, options: Parameters<typeof RedisCluster.once>[1] = {}): Promise<RedisCluster> {
    // In between, another program may have taken one of its ports.
    return RedisCluster.once(t, options).catch(() => RedisCluster.once(t, options));
  }

  private static async once(
    t: Owner,
    {
      masters = 3,
      replicas = 1,
      nodeTimeoutMs = 500,
      args = [] as readonly string[],
      certificate = undefined as Certificate | undefined,
    } = {},
  ): Promise<RedisCluster> {
    const dir = t.testdir({});
    const ports = await Promise.all(
      Array.from(
        { length: masters * (1 + replicas) },
        async () => [await freePort(), await freePort()] as const,
      ),
    );
    const cluster = new RedisCluster(certificate ? 'rediss' : 'redis', (password) =>
      ports.map(
        ([port, bus]) =>
          new RedisProcess(t, port, () => [
            ...listenOn(dir, port, certificate).flatMap(([name, value]) => [`--${name}`, value]),
            ...['--bind', '127.0.0.1', '--dir', dir, '--save', ''],
            ...['--cluster-enabled', 'yes', '--cluster-config-file', `${port}.conf`, '--cluster-port', bus],
            ...['--cluster-node-timeout', nodeTimeoutMs, '--requirepass', password, '--masterauth', password],
            ...['--repl-diskless-sync-delay', 0, '--cluster-replica-validity-factor', 0],
            ...args,
          ]),
      ),
    );
    await cluster.#build(masters, ports);
    return cluster;
  }

  /** What `REDIS_URL` takes. */
  get url(): string {
    const hosts = this.nodes.map(({ port }) => `127.0.0.1:${port}`);
    return `${this.#scheme}+cluster://:${this.password}@${hosts.join()}`;
  }

  /** Sends one command to a node. */
  ask({ port }: { port: number }, ...command: (string | number)[]): Promise<unknown> {
    return askRedis(`${this.#scheme}://:${this.password}@127.0.0.1:${port}`, ...command);
  }

  /** The nodes that are masters now, as the first node that runs says, in the order of their slots. */
  async masters(): Promise<RedisProcess[]> {
    const asked = this.nodes.find(({ isRunning }) => isRunning) as RedisProcess;
    const slots = (await this.ask(asked, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const ports = slots.toSorted(([one], [other]) => one - other).map(([, , [, port]]) => port);
    return [...new Set(ports)].flatMap((port) => this.nodes.find((node) => node.port === port) ?? []);
  }

  /** Gives all nodes another password, which `url` has from now on; connections stay open. */
  async changePassword(): Promise<void> {
    const password = makePassword();
    for (const node of this.nodes) {
      await this.ask(node, 'CONFIG', 'SET', 'requirepass', password, 'masterauth', password);
    }
    this.password = password;
  }

  /** Moves the slot of a key to another master as far as `ASK`. @returns does the rest */
  async moveSlotOf(key: string): Promise<() => Promise<void>> {
    const masters = await this.masters();
    const [first] = masters as [RedisProcess];
    const slot = Number(await this.ask(first, 'CLUSTER', 'KEYSLOT', key));
    const owner = Math.floor((slot * masters.length) / SLOTS);
    return this.moveSlot(slot, masters[owner] ?? first, masters.at(owner - 1) ?? first);
  }

  /** Moves a slot and its keys to another master as far as `ASK`. @returns does the rest */
  async moveSlot(slot: number, from: RedisProcess, to: RedisProcess): Promise<() => Promise<void>> {
    const [source, target] = [await this.#id(from), await this.#id(to)];
    await this.ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
    await this.ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
    const keys = (await this.ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
    if (keys.length > 0) {
      const auth = ['AUTH', this.password, 'KEYS', ...keys];
      await this.ask(from, 'MIGRATE', '127.0.0.1', to.port, '', 0, 1000, ...auth);
    }
    return async () => {
      for (const node of [to, from]) await this.ask(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', target);
    };
  }

  /** Waits until all nodes that run know all slots to be served, each by a master that runs. */
  async isWhole(replicas?: number): Promise<void> {
    await until('a whole cluster', async () => {
      for (const node of this.nodes.filter(({ isRunning }) => isRunning)) {
        const info = String(await this.ask(node, 'CLUSTER', 'INFO').catch(() => ''));
        if (!info.includes('cluster_state:ok') || !info.includes(`cluster_slots_ok:${SLOTS}`)) return false;
      }
      const masters = await this.masters();
      if (replicas === undefined) return masters.every(({ isRunning }) => isRunning);
      for (const master of masters) {
        const info = String(await this.ask(master, 'INFO', 'replication').catch(() => ''));
        if ((info.match(/state=online/g)?.length ?? 0) < replicas) return false;
      }
      return true;
    });
  }

  async #id(node: RedisProcess): Promise<string> {
    const id = this.#ids.get(node) ?? String(await this.ask(node, 'CLUSTER', 'MYID'));
    this.#ids.set(node, id);
    return id;
  }

  async #build(masters: number, ports: readonly (readonly [number, number])[]): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
    const [first, ...others] = this.nodes as [RedisProcess, ...RedisProcess[]];
    const size = Math.ceil(SLOTS / masters);
    const owners = this.nodes.slice(0, masters);
    await Promise.all(
      owners.map((node, index) =>
        this.ask(node, 'CLUSTER', 'ADDSLOTSRANGE', index * size, Math.min(SLOTS, (index + 1) * size) - 1),
      ),
    );
    await Promise.all(
      this.nodes.map((node, index) => this.ask(node, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1)),
    );
    for (const [index] of others.entries()) {
      const [port, bus] = ports[index + 1] as readonly [number, number];
      await this.ask(first, 'CLUSTER', 'MEET', '127.0.0.1', port, bus);
    }
    const ids = await Promise.all(owners.map((node) => this.#id(node)));
    for (const [index, node] of this.nodes.slice(masters).entries()) {
      const id = ids[index % masters] ?? '';
      await until('its master', async () => String(await this.ask(node, 'CLUSTER', 'NODES')).includes(id));
      await this.ask(node, 'CLUSTER', 'REPLICATE', id);
    }
    await this.isWhole(this.nodes.length / masters - 1);
  }
}
