import type { LookupFunction } from 'node:net';
import type { Redis } from 'ioredis';
import type { BaseLogger } from 'pino';
import type { Counter, Gauge, Histogram } from 'prom-client';
import { type Clock, MACHINE_CLOCK } from './clock.ts';

/**
 * Where each room declares its metrics. A metric that two parts of a room declare alike is one metric. No label may hold
 * text of a client's: that would have no bound.
 */
export interface Metrics {
  /** @param labels every value of each label: all of them are there from the start, at 0 */
  counter<L extends string = never>(
    name: string,
    help: string,
    labels?: Record<L, readonly string[]>,
  ): Counter<L>;
  /** @param collect sets the value when it is asked for */
  gauge<L extends string = never>(
    name: string,
    help: string,
    labelNames?: L[],
    collect?: (gauge: Gauge<L>) => void,
  ): Gauge<L>;
  /** A duration in seconds, under a name of OpenTelemetry's. */
  duration<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L>;
}

/** What tests put in the place of the machine's own. */
export interface Seams {
  /** The time of day for limits and quota, in UNIX milliseconds. */
  readonly now: () => number;
  /** The clock of deadlines, delays and the order of writes. */
  readonly clock: Clock;
  /** Chance, from 0 to 1. */
  readonly random: () => number;
  /** How the names of outgoing calls are looked up. */
  readonly lookup?: LookupFunction;
}
export const MACHINE: Seams = { now: Date.now, clock: MACHINE_CLOCK, random: Math.random };

/** What the rooms ask of Redis, be it one server or a cluster. */
export interface RedisClient extends Pick<Redis, 'eval' | 'exists' | 'get' | 'pttl' | 'set'> {
  readonly status: string;
  /** Whether a command has failed in a failover that is just going on. A server that stands alone has none. */
  readonly returnsSoon?: (error: unknown) => boolean;
}

/** What all rooms are given. */
export interface Services {
  readonly log: Pick<BaseLogger, 'debug' | 'info' | 'warn' | 'error'>;
  readonly metrics: Metrics;
  /** What replicas share; undefined where no Redis is configured. */
  readonly redis: RedisClient | undefined;
  readonly seams: Seams;
}
