import type { Redis } from 'ioredis';
import type { BaseLogger } from 'pino';
import type { Metrics } from '../operations/metrics.ts';

/** What the rooms of this house tell others, and where replicas meet. */
export interface Edges {
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>;
  readonly metrics: Metrics;
  readonly redis: Redis | undefined;
}
