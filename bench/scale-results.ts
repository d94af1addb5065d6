import type { Call, Spread } from './results.ts';

/** What one replica, one Redis and one lane carry, and what they keep. */
export interface Scale {
  readonly requests: Partial<Record<Call, RequestCost>>;
  /** The whole of a PUT first. */
  readonly saturation: readonly Saturated[];
  readonly state: readonly State[];
  readonly drops: readonly Drop[];
  readonly process: ProcessMemory;
  readonly lanes: readonly HotLane[];
}

/** What a request costs where the gateway has a Redis, at saturation. */
export interface RequestCost {
  readonly perSecond: Spread;
  /** What Redis is asked, in its order. */
  readonly commands: readonly string[];
  /** Processor time of Redis. */
  readonly redisMicroseconds: Spread;
  /** Bytes over the wire, to Redis and back. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes that Redis appends to its file, and sends to each replica of its own. */
  readonly bytesAppended: number;
  /** Bytes of the gateway's log. */
  readonly bytesLogged: number;
}

/** Redis alone, asked this by more connections than it can serve. */
export interface Saturated {
  readonly name: string;
  /** Requests a second whose commands it did. */
  readonly perSecond: Spread;
  /** How much of its processor it used, from 0 to 1. */
  readonly processor: Spread;
}

/** Entries of one kind in a Redis that has no others. */
export interface State {
  readonly name: string;
  readonly entries: number;
  /** Memory of one entry, all that Redis keeps for it included. */
  readonly bytes: number;
  /** How long one is kept after its last use; undefined where that is the company's to say. */
  readonly keptSeconds: number | undefined;
}

/** How long Redis serves nobody when it drops the counts of a minute that is over. */
export interface Drop {
  readonly users: number;
  readonly ms: number;
  /** The same with `lazyfree-lazy-expire yes`. */
  readonly lazyMs: number;
}

/** What the process of a gateway without Redis has in its heap, in bytes. */
export interface ProcessMemory {
  /** For a user who was there in this minute. */
  readonly user: number;
  /** For a lane that was written to, when that is over. */
  readonly lane: number;
  /** For a request under way, with its connections to the client and to CometChat. */
  readonly underWay: number;
}

/** One user writes to one conversation, and does not wait. */
export interface HotLane {
  readonly replicas: number;
  /** How long CometChat takes to answer. */
  readonly cometchatMs: number;
  readonly PUT: Writes;
  readonly PATCH: Writes;
}

export interface Writes {
  readonly clients: number;
  /** Requests a second that got a 200. */
  readonly perSecond: number;
  /** How many of all requests got it, from 0 to 1. */
  readonly answered: number;
  /** PUTs to CometChat a second. */
  readonly writesPerSecond: number;
  readonly p50: number;
  readonly p99: number;
}
