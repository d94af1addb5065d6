import net from 'node:net';
import tls from 'node:tls';
import type { Test } from 'tap';
import type { Certificate } from '../../sandbox/certificates.ts';
import { listening } from './ports.ts';
import type { RedisServer } from './redis.ts';
import { until } from './until.ts';

/** What becomes of a connection that something in between has forgotten; neither side hears of it. */
export type Fate = 'nothing passes' | 'no command passes' | 'no reply passes' | 'reset by the next byte';

interface Flow {
  readonly client: net.Socket;
  fate?: Fate;
}

const namesIn = (data: Buffer): string[] =>
  [...String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name = '']) => name.toLowerCase());

/**
 * A way to a Redis on which a test can hold commands back, or have connections forgotten.
 *
 * @param certificate with one it speaks TLS
 */
export async function redisProxy(t: Test, redis: RedisServer, certificate?: Certificate) {
  const { port, password } = new URL(redis.url);
  const flows: Flow[] = [];
  const asked: string[] = [];
  let isHolding = false;
  let isDown = false;
  let held: { readonly data: Buffer; readonly to: net.Socket }[] = [];
  // An idle connection is asked at any time whether it still is one.
  const names = () => held.flatMap(({ data }) => namesIn(data)).filter((name) => name !== 'ping');
  const letThrough = () => {
    for (const { data, to } of held) to.write(data);
    held = [];
  };
  const take = (client: net.Socket) => {
    const flow: Flow = { client, ...(isDown && { fate: 'nothing passes' }) };
    flows.push(flow);
    const to = net.connect(Number(port), '127.0.0.1').on('error', () => {});
    client.on('error', () => {}).on('close', () => to.destroy());
    client.on('end', () => flow.fate ?? client.end());
    client.on('data', (data: Buffer) => {
      asked.push(...namesIn(data));
      if (flow.fate === 'reset by the next byte') client.resetAndDestroy();
      if (flow.fate !== undefined && flow.fate !== 'no reply passes') return;
      held.push({ data, to });
      if (!isHolding) letThrough();
    });
    to.on('data', (data) => {
      if (flow.fate === undefined || flow.fate === 'no command passes') client.write(data);
    }).on('close', () => flow.fate === undefined && client.destroy());
  };
  const options = { ...certificate, allowHalfOpen: true };
  const server = certificate ? tls.createServer(options, take) : net.createServer(options, take);
  t.teardown(() => {
    for (const { client } of flows) client.destroy();
  });
  return {
    /** What `REDIS_URL` takes. */
    url: `${certificate ? 'rediss' : 'redis'}://:${password}@127.0.0.1:${await listening(t, server)}`,
    /** The names of all commands that came. */
    asked,
    /** How many connections were made. */
    get connections(): number {
      return flows.length;
    },
    /** Forgets the connections that are open. New ones are good, unless the way is down. */
    forget(fate: Fate, { down = false } = {}): void {
      isDown = down;
      for (const flow of flows) flow.fate = fate;
    },
    /** Lets new connections through again. */
    up(): void {
      isDown = false;
    },
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
