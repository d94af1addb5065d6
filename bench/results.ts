import type { Scale } from './scale-results.ts';

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

/** The gateway's own calls, each as the load makes it. */
export const CALLS = {
  PUT: 'PUT: replaces the tags',
  PATCH: 'PATCH: adds a tag and removes one',
  tags: 'GET of one conversation’s tags',
  list: 'GET of a list of 50 conversations',
} as const;
export type Call = keyof typeof CALLS;

/** Good requests alone (quiet) and beside a flood of bad ones, and what became of both. */
export interface Flood {
  /** What is wrong with the bad requests. */
  readonly kind: string;
  /** Bad requests a second. */
  readonly perSecond: number;
  readonly quiet: GoodRequests;
  readonly flooded: GoodRequests;
  /** Bad requests that were due, how many of them were sent, and what these got, by status, in all rounds. */
  readonly bad: {
    readonly due: number;
    readonly sent: number;
    readonly statuses: Readonly<Record<string, number>>;
  };
  /** How much of one processor the gateway used meanwhile, from 0 to 1. */
  readonly processor: Spread;
}

export interface GoodRequests extends Latency {
  /** In all rounds. */
  readonly sent: number;
  /** How many of them got a 200. */
  readonly answered: number;
}

/** What is measured. A part that was not asked for is empty. */
export interface Measured {
  /** What could not be measured here, and why. */
  readonly missing: readonly string[];
  /** Latency as clients see it at a constant rate of arrivals a second; added is what is more than the direct call's in the same round. */
  readonly latency: readonly {
    readonly perSecond: number;
    readonly of: Partial<Record<Contestant, { readonly whole: Latency; readonly added: Latency }>>;
  }[];
  /** With a next request always there, on one processor. */
  readonly saturation: Partial<Record<Contestant, Saturation>>;
  /** Requests at a constant rate and at saturation that did not get a 200. */
  readonly failed: Partial<Record<Contestant, number>>;
  /** The gateway's own calls at saturation; `toPut` are ratios to the PUT of the same round. */
  readonly calls: Partial<
    Record<
      Call,
      {
        readonly perSecond: Spread;
        readonly processorMicroseconds: Spread;
        readonly toPut: { readonly perSecond: Spread; readonly processor: Spread };
      }
    >
  >;
  readonly floods: readonly Flood[];
  /** Resident memory in bytes, after so many requests each. */
  readonly memory: readonly { readonly requests: number; readonly bytes: number }[];
  /** From the start of the process to its first answer that it is ready, in milliseconds. */
  readonly start: { readonly cached: Spread; readonly uncached: Spread } | undefined;
  /** Of one answer, in bytes: its body, and all that goes over the wire. */
  readonly size:
    | {
        readonly cometchat: { readonly body: number; readonly wire: number };
        readonly client: { readonly body: number; readonly wire: number };
      }
    | undefined;
  readonly scale: Scale | undefined;
  /** Where the processor time of a request goes: parts of 1, the greatest first. */
  readonly layers: readonly { readonly name: string; readonly share: number }[];
}

export interface Saturation extends Latency {
  readonly perSecond: Spread;
  readonly processorMicroseconds: Spread;
}

export interface Results extends Measured {
  /** As in 2026-11-25. */
  readonly date: string;
  readonly seconds: number;
  readonly rounds: number;
  /** What it ran on, and the version of everything that was measured. */
  readonly machine: readonly (readonly [name: string, value: string])[];
  readonly versions: readonly (readonly [name: string, value: string])[];
}

export const NOTHING_MEASURED: Measured = {
  missing: [],
  latency: [],
  saturation: {},
  failed: {},
  calls: {},
  floods: [],
  memory: [],
  start: undefined,
  size: undefined,
  scale: undefined,
  layers: [],
};
