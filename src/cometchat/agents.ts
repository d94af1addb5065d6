import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';

/** No connection is used again after this, so that a name which moves to another address is followed. */
const OLDEST_MS = 60_000;

export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/**
 * Makes the agents that keep connections open between calls.
 *
 * @param lookup how names are looked up; Node.js' own way unless given
 * @param now the clock, in milliseconds
 */
export function keepAliveAgents(lookup?: LookupFunction, now = () => performance.now()): Agents {
  const options = { keepAlive: true, ...(lookup && { lookup }) };
  const agents = { http: new http.Agent(options), https: new https.Agent(options) };
  for (const agent of Object.values(agents)) forgetOldConnections(agent, now);
  return agents;
}

/** https://nodejs.org/api/http.html#agentkeepsocketalivesocket */
function forgetOldConnections(agent: http.Agent, now: () => number): void {
  const firstFree = new WeakMap<Duplex, number>();
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean;
  agent.keepSocketAlive = (socket: Duplex): boolean => {
    const since = firstFree.get(socket) ?? now();
    firstFree.set(socket, since);
    return now() - since < OLDEST_MS && keep(socket);
  };
}
