import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait, setImmediate as yieldToOthers } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** `refused`: nobody listens. `hung`: a connect gets no answer, as where a firewall drops it. */
export type LinkState = 'up' | 'refused' | 'hung';

/** Whether the port of a server answers. The server listens on it only as long as it is up. */
export class Link {
  readonly #server: Server;
  readonly #host: string;
  #port: number;
  readonly #sockets = new Set<Socket>();
  #state: LinkState = 'refused';
  #moved: Promise<unknown> = Promise.resolve();
  #hung: { listener: Worker; fillers: Socket[] } | undefined;
  #back: NodeJS.Timeout | undefined;

  /** @param port 0 takes a free one, and keeps it */
  constructor(server: Server, host: string, port: number) {
    this.#server = server;
    this.#host = host;
    this.#port = port;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  /**
   * Resolves when it is so; one change waits for the other.
   *
   * @param forMs how long until it is up again by itself; for ever unless given
   */
  set(state: LinkState, forMs?: number): Promise<void> {
    const move = this.#moved.then(async () => {
      clearTimeout(this.#back);
      if (state !== this.#state) await this.#change(state);
      if (forMs !== undefined) this.#back = setTimeout(() => void this.set('up'), forMs);
    });
    this.#moved = move.catch(() => {});
    return move;
  }

  async #change(state: LinkState): Promise<void> {
    await this.#leave();
    this.#state = 'refused';
    if (state === 'up') {
      await once(this.#server.listen(this.#port, this.#host), 'listening');
      this.#port = (this.#server.address() as AddressInfo).port;
    }
    if (state === 'hung') await this.#hang();
    this.#state = state;
  }

  async #leave(): Promise<void> {
    for (const socket of this.#hung?.fillers ?? []) socket.destroy();
    await this.#hung?.listener.terminate();
    this.#hung = undefined;
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #hang(): Promise<void> {
    const address = { host: this.#host, port: this.#port };
    const file = new URL('hung-listener.ts', import.meta.url);
    const listener = new Worker(file, { workerData: address, execArgv: [] });
    const fillers: Socket[] = [];
    this.#hung = { listener, fillers };
    await once(listener, 'message');
    // The kernel accepts as many as fit into the queue, and drops what comes after them.
    for (let connected = true; connected; ) {
      const filler = net.connect(address).on('error', () => {});
      fillers.push(filler);
      await wait(20);
      await yieldToOthers();
      connected = !filler.connecting;
    }
  }
}
