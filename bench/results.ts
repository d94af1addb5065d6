/** The middle of several rounds, with the lowest and the highest: one round says little on a machine with other work. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** In milliseconds. */
export interface Latency {
  readonly p50: Spread;
  readonly p99: Spread;
}

export const CONTESTANTS = {
  direct: 'direct call',
  nginx: 'nginx, bare proxy',
  'reply-from': '@fastify/reply-from + jose',
  'hono-fetch': 'Hono + fetch + jose',
  'express-axios': 'Express + axios + jsonwebtoken',
  gateway: 'this gateway',
  'gateway-redis': 'this gateway with Redis',
} as const;
export type Contestant = keyof typeof CONTESTANTS;

/** What a request had in hand, when a flood came beside it. */
export interface Flood {
  readonly quiet: Latency;
  readonly flooded: Latency;
  /** Good requests that were sent, and that got a 200, in all rounds. */
  readonly good: { readonly sent: number; readonly answered: number };
  /** What the flood got, by status, in all rounds. */
  readonly flood: Readonly<Record<string, number>>;
  /** How much of one processor the gateway used meanwhile, from 0 to 1. */
  readonly processor: Spread;
}

export interface Results {
  /** As in 2026-11-25. */
  readonly date: string;
  readonly seconds: number;
  /** What it ran on, and the version of everything that was measured. */
  readonly machine: readonly (readonly [name: string, value: string])[];
  readonly versions: readonly (readonly [name: string, value: string])[];
  /** What could not be measured here, and why. */
  readonly missing: readonly string[];
  /** Latency as clients see it at a constant rate of arrivals a second; added is what is more than the direct call's in the same round. */
  readonly latency: readonly {
    readonly perSecond: number;
    readonly of: Partial<Record<Contestant, { readonly whole: Latency; readonly added: Latency }>>;
  }[];
  /** With the answers coming as fast as can be, on one processor. */
  readonly throughput: Partial<
    Record<Contestant, { readonly perSecond: Spread; readonly processorMicroseconds: Spread }>
  >;
  /** By what is wrong with the requests of the flood. */
  readonly flood: Readonly<Record<string, Flood>>;
  readonly floodPerSecond: number;
  /** Resident memory in bytes, after so many requests each. */
  readonly memory: readonly { readonly requests: number; readonly bytes: number }[];
  /** From the start of the process to its first answer that it is ready, in milliseconds. */
  readonly start: { readonly cached: Spread; readonly uncached: Spread };
  /** Of one answer: its body, and all that goes over the wire. */
  readonly bytes: {
    readonly cometchat: { readonly body: number; readonly wire: number };
    readonly client: { readonly body: number; readonly wire: number };
  };
  /** Where the processor time of one request goes, in microseconds. */
  readonly layers: readonly { readonly name: string; readonly microseconds: number }[];
}
