import { once } from 'node:events';
import net from 'node:net';

export type Command = readonly (string | number)[];

const END = '+PONG\r\n';

/** @returns commands as they go over the wire: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
export const encode = (commands: readonly Command[]): string =>
  commands.flatMap((args) => [`*${args.length}\r\n`, ...args.map(argument)]).join('');

const argument = (value: string | number): string => {
  const text = String(value);
  return `$${text.length}\r\n${text}\r\n`;
};

/** A connection to Redis that costs the load less than it costs Redis: it does not look at replies, unless they are errors. */
export class RedisPipe {
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RedisPipe> {
    const socket = net.connect(port, '127.0.0.1').setNoDelay().setEncoding('latin1');
    await once(socket, 'connect');
    return new RedisPipe(socket);
  }

  /** Sends commands of ASCII alone, all at once, and waits for the last reply. */
  send(encoded: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let last = '';
    const read = (data: string) => {
      const [error] = /^-.*/m.exec(data) ?? [];
      if (error) reject(new Error(error));
      last = (last + data).slice(-END.length);
      if (last === END) {
        this.#socket.off('data', read);
        resolve();
      }
    };
    this.#socket.on('data', read).write(`${encoded}${encode([['PING']])}`, 'latin1');
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }
}
