import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type TSchema, Type } from '@sinclair/typebox';
import { OneOf } from '../base/one-of.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { EventLoop } from '../http/overload.ts';
import { responses } from '../http/responses.ts';

const LiveSchema = Type.Object({ status: Type.Literal('ok') }, { title: 'Live', description: 'Yes.' });
const ReadySchema = Type.Object(
  {
    status: Type.Literal('ok'),
    cometchat: OneOf(['ok', 'failing', 'busy'], {
      description:
        '`failing`: calls end in the gateway until it answers again. `busy`: so do they until there is quota again',
    }),
    redis: Type.Optional(
      OneOf(['ok', 'unavailable', 'misconfigured'], {
        description:
          '`misconfigured`: REDIS_URL leads to another kind of Redis. Left out where none is configured',
      }),
    ),
  },
  {
    title: 'Ready',
    description: 'Yes; and the state of CometChat and Redis, which is the same for other replicas.',
  },
);

/** What the routes of both probes have in common. */
const probe = <T extends TSchema>(
  operationId: string,
  summary: string,
  success: T,
  problems: readonly ProblemCode[],
) => ({
  config: { probe: true },
  schema: {
    operationId,
    summary,
    tags: ['operations'],
    security: [],
    response: responses({ success, problems: ['headers-too-large', ...problems], isCounted: false }),
  },
});

/** What the probes look at. */
interface Watched {
  readonly eventLoop: EventLoop;
  /** Whether any session can be verified right now. */
  readonly canVerify: () => boolean | Promise<boolean>;
  /** Whether CometChat is called right now, and if not, why. */
  readonly cometchat: { readonly state: 'ok' | 'failing' | 'busy' };
  /** Left out where none is configured. */
  readonly redis: { readonly state: 'ok' | 'unavailable' | 'misconfigured' } | undefined;
}

/** Liveness and readiness: whether to restart this replica, and whether to send it requests. */
export const probes: FastifyPluginAsyncTypebox<Watched> = async (
  app,
  { eventLoop, canVerify, cometchat, redis },
) => {
  app.get('/livez', probe('live', 'Is the process alive?', LiveSchema, ['gateway-overloaded']), async () => {
    if (eventLoop.wasBlockedLong) {
      const detail = 'The event loop was blocked for seconds just now.';
      throw new ProblemError('gateway-overloaded', { detail });
    }
    return { status: 'ok' as const };
  });

  app.get(
    '/readyz',
    probe('ready', 'Should this replica get requests?', ReadySchema, [
      'gateway-draining',
      'gateway-overloaded',
      'session-store-unavailable',
    ]),
    async () => {
      if (app.shutdown.isDraining) throw new ProblemError('gateway-draining');
      if (eventLoop.isBlocked) throw new ProblemError('gateway-overloaded');
      if (!(await canVerify())) throw new ProblemError('session-store-unavailable');
      return {
        status: 'ok' as const,
        cometchat: cometchat.state,
        ...(redis && { redis: redis.state }),
      };
    },
  );
};
