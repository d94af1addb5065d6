import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { until } from './until.ts';

/** Connections that a busy server has not taken yet. Of more the kernel drops packets, and they are seconds late. */
const BACKLOG = 4096;

/** Lets a server listen on a free port of this machine for the length of a test, and gives the port. */
export async function listening(t: Test, server: net.Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1', BACKLOG), 'listening');
  t.teardown(() => {
    if (server instanceof http.Server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Below those that the kernel gives to connections: one of them could take the port while its program is restarted. */
const PORTS = { from: 20_000, count: 10_000 };

/** What this process has given away: its program may not listen yet. */
const given = new Set<number>();

/** A port that is free now, for a program that must be told one. */
export async function freePort(): Promise<number> {
  let port = 0;
  await until('a free port', () => {
    port = PORTS.from + Math.floor(Math.random() * PORTS.count);
    return !given.has(port) && isFree(port);
  });
  given.add(port);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}

/** Whether something takes connections on a port of this machine. */
export async function listens(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
