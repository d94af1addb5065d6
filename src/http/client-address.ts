import { isIP } from 'node:net';
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { parseList } from '../config/environment.ts';

/** Shorter ones hold more than any private network (10.0.0.0/8, fc00::/7): whoever asks would be believed. */
const SHORTEST_PREFIX = { 4: 8, 6: 7 } as const;

/** IPv4 in IPv6 form: ::ffff:0:0/96 is all of it. Its networks are written as IPv4 ones. */
const MAPPED_IPV4 = '[::ffff:';

/**
 * Reads a comma-separated list of the networks that the load balancers are in. Only they are believed when
 * they say, in X-Forwarded-For, whom they speak for.
 *
 * @throws Error whose message says which one is wrong
 */
export function parseTrustedProxies(text: string): string[] {
  const must =
    'hold the load balancers’ networks such as 10.1.0.0/16 (no number of hops, no "true", nothing wider than /8, or /7 of IPv6, nor IPv4 in IPv6 form)';
  return parseList(text, isNetwork, must);
}

function isNetwork(text: string): boolean {
  const [address = '', prefix = '', ...others] = text.split('/');
  const version = isIP(address);
  if (version === 0 || others.length > 0 || !/^\d{1,3}$/.test(prefix)) return false;
  // A URL writes an IPv6 address in its one short form, and takes none with a zone.
  const host = version === 6 ? URL.parse(`http://[${address}]/`)?.hostname : address;
  if (!host || host.startsWith(MAPPED_IPV4)) return false;
  const length = Number(prefix);
  return length >= SHORTEST_PREFIX[version as 4 | 6] && length <= (version === 4 ? 32 : 128);
}

/**
 * Whose address a request came from: of an IPv6 one the network, since a household has 2^64 of them.
 *
 * @returns the address that the trusted proxies tell, else the one that the connection is from; `unknown` where
 *   it was closed before anybody could see that
 */
export function addressOf({ ip, socket }: FastifyRequest): string {
  /* c8 ignore next -- a matter of microseconds, which no test can hit at will */
  if (ip === undefined) return 'unknown';
  // Some load balancers add the port, which would be another key for each connection.
  const bare = ip.replace(/^\[([\da-f:.]+)\](?::\d+)?$/i, '$1').replace(/^([\d.]+):\d+$/, '$1');
  return normalizeIP(isIP(bare) ? bare : String(socket.remoteAddress));
}
