import { isIP } from 'node:net';
import { Address6 } from 'ip-address';
import { parseList } from '../base/parse-list.ts';

/** Shorter ones hold more than any private network (10.0.0.0/8, fc00::/7): every client would be believed. */
const SHORTEST_PREFIX = { 4: 8, 6: 7 } as const;

/** IPv4 in IPv6 form: ::ffff:0:0/96 is all of it. Its networks are written as IPv4 ones. */
const MAPPED_IPV4 = '[::ffff:';

/**
 * Reads a comma-separated list of the networks that the load balancers are in. Only their X-Forwarded-For is believed.
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

interface Connected {
  readonly ip: string | undefined;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/**
 * The address of the client: of an IPv6 one the /64 network, because a household has 2^64 addresses.
 *
 * @returns what the trusted proxies say, else the address of the connection; `unknown` where that closed too soon
 */
export function addressOf({ ip, socket }: Connected): string {
  /* c8 ignore next -- a matter of microseconds, which no test can hit at will */
  if (ip === undefined) return 'unknown';
  if (isIP(ip)) return network(ip);
  // Some load balancers add the port, which would be another key for each connection.
  const bare = ip.replace(/^\[([\da-f:.]+)\](?::\d+)?$/i, '$1').replace(/^([\d.]+):\d+$/, '$1');
  return network(isIP(bare) ? bare : String(socket.remoteAddress));
}

function network(address: string): string {
  if (isIP(address) !== 6) return address;
  const v6 = new Address6(address);
  return v6.isMapped4() ? v6.to4().correctForm() : new Address6(`${address}/64`).startAddress().correctForm();
}
