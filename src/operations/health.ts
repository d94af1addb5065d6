import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { ProblemCode } from '../problem.ts';
import { ProblemError } from '../problem-error.ts';
import { problemResponses } from '../problem-responses.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked for every few seconds by machines: logged at debug level. */
    probe?: boolean;
  }
}

const HealthSchema = Type.Object({ status: Type.Literal('ok') }, { title: 'Health', description: 'Yes.' });

/** What the routes of both probes have in common. */
const probe = (operationId: string, summary: string, problems: readonly ProblemCode[]) => ({
  config: { probe: true },
  schema: {
    operationId,
    summary,
    tags: ['operations'],
    security: [],
    response: { 200: HealthSchema, ...problemResponses(['headers-too-large', ...problems]) },
  },
});

/** Liveness and readiness: whether to restart this replica, and whether to send it requests. */
export const health: FastifyPluginAsyncTypebox<{ isDraining: () => boolean }> = async (
  app,
  { isDraining },
) => {
  app.get('/livez', probe('live', 'Is the process alive?', []), async () => ({ status: 'ok' as const }));

  app.get('/readyz', probe('ready', 'Should this replica get requests?', ['gateway-draining']), async () => {
    if (isDraining()) throw new ProblemError('gateway-draining');
    return { status: 'ok' as const };
  });
};
