import { type FastifyInstance, fastify } from 'fastify';
import type { PrometheusMetrics } from './prometheus.ts';

/** What operators alone may see, on a port of its own: `GET /metrics`. */
export function adminServer({ registry }: PrometheusMetrics): FastifyInstance {
  const admin = fastify({ forceCloseConnections: true });
  admin.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return admin;
}
