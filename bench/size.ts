import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import type { Request } from './load.ts';
import type { Measured } from './results.ts';

/** Counts the bytes that come over the wire for one answer of each. */
export async function measureSize(
  cometchat: readonly [origin: string, request: Request],
  client: readonly [origin: string, request: Request],
): Promise<Measured['size']> {
  return { cometchat: await count(...cometchat), client: await count(...client) };
}

async function count(
  origin: string,
  { path, headers, body }: Request,
): Promise<{ body: number; wire: number }> {
  const { hostname, port } = new URL(origin);
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  const fields = { ...(headers as Record<string, string>), 'content-length': String(body).length };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`PUT ${path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n${lines.join('')}\r\n${body}`);
  const answer = await text(socket);
  const [head = ''] = answer.split('\r\n\r\n', 1);
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`not answered: ${head}`);
  const wire = Buffer.byteLength(answer);
  return { wire, body: wire - Buffer.byteLength(head) - 4 };
}
