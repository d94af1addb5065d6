import net from 'node:net';
import type { Test } from 'tap';
import { listening } from './ports.ts';
import type { RedisServer } from './redis.ts';
import { until } from './until.ts';

/** A way to a Redis on which a test can hold commands back. */
export async function redisProxy(t: Test, redis: RedisServer) {
  const { port, password } = new URL(redis.url);
  let isHolding = false;
  let held: { readonly data: Buffer; readonly to: net.Socket }[] = [];
  const names = () =>
    held.flatMap(({ data }) =>
      [...String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name = '']) => name.toLowerCase()),
    );
  const letThrough = () => {
    for (const { data, to } of held) to.write(data);
    held = [];
  };
  const server = net.createServer((client) => {
    const to = net.connect(Number(port), '127.0.0.1').on('error', () => {});
    client.on('error', () => {}).on('close', () => to.destroy());
    client.on('data', (data: Buffer) => {
      held.push({ data, to });
      if (!isHolding) letThrough();
    });
    to.pipe(client);
  });
  return {
    /** What `REDIS_URL` takes. */
    url: `redis://:${password}@127.0.0.1:${await listening(t, server)}`,
    /** Holds back all commands from now on. */
    hold(): void {
      isHolding = true;
    },
    /** Waits until so many commands are held back, and lets them through. @returns their names, in alphabetical order */
    async pass(count: number): Promise<string[]> {
      // The gateway waits for none longer than half a second.
      await until(`${count} commands to Redis`, () => names().length >= count, 0.5);
      const passed = names().sort();
      letThrough();
      return passed;
    },
    /** Lets everything through again. */
    release(): void {
      isHolding = false;
      letThrough();
    },
  };
}
