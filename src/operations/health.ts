import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { ProblemError } from '../problem-error.ts';
import { problemResponses } from '../problem-responses.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked for every few seconds by machines: logged at debug level. */
    probe?: boolean;
  }
}

const HealthSchema = Type.Object({ status: Type.Literal('ok') }, { title: 'Health', description: 'Yes.' });

/** Liveness and readiness: whether to restart this replica, and whether to send it requests. */
export const health: FastifyPluginAsyncTypebox<{ isDraining: () => boolean }> = async (
  app,
  { isDraining },
) => {
  app.get(
    '/livez',
    {
      config: { probe: true },
      schema: {
        operationId: 'live',
        summary: 'Is the process alive?',
        tags: ['operations'],
        security: [],
        response: { 200: HealthSchema, ...problemResponses(['headers-too-large']) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { probe: true },
      schema: {
        operationId: 'ready',
        summary: 'Should this replica get requests?',
        tags: ['operations'],
        security: [],
        response: { 200: HealthSchema, ...problemResponses(['headers-too-large', 'gateway-draining']) },
      },
    },
    async () => {
      if (isDraining()) throw new ProblemError('gateway-draining');
      return { status: 'ok' as const };
    },
  );
};
