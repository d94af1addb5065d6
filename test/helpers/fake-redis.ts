import net from 'node:net';
import type { Test } from 'tap';
import { listening } from './ports.ts';

/** Something that speaks as Redis does, and answers these commands as given; all others with OK. */
export async function fakeRedis(t: Test, replies: Record<string, string> = {}): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const [, command = ''] of String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const known: Record<string, string> = { hello: "-ERR unknown command 'HELLO'", ...replies };
        socket.write(`${known[command.toLowerCase()] ?? '+OK'}\r\n`);
      }
    });
  });
  return `redis://127.0.0.1:${await listening(t, server)}`;
}

/** A text as Redis sends it. */
export const bulk = (text: string) => `$${text.length}\r\n${text}`;
