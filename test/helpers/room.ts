import { type CometChatId, cometChatId } from '../../src/base/caller.ts';
import type { RedisClient } from '../../src/base/services.ts';
import { MACHINE, type Seams, type Services } from '../../src/base/services.ts';
import { PrometheusMetrics } from '../../src/operations/prometheus.ts';

/** The services of a room without an app: a log that nobody reads, and metrics that can be read. */
export const services = (redis?: RedisClient, seams: Partial<Seams> = {}) =>
  ({
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: new PrometheusMetrics(),
    redis,
    seams: { ...MACHINE, ...seams },
  }) satisfies Services;

/** A legal id of CometChat's. */
export function cometChatIdOf(text: string): CometChatId {
  const id = cometChatId(text);
  if (id === undefined) throw new Error(`${text} is no legal id`);
  return id;
}
