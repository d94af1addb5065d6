import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type TSchema, Type } from '@sinclair/typebox';
import type { Redis } from 'ioredis';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { CometChatClient } from '../cometchat/client.ts';
import type { EventLoop } from '../http/event-loop.ts';
import { problemResponses } from '../http/problem-responses.ts';
import type { Sessions } from '../session/verifiers.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked for every few seconds by machines: logged at debug level. */
    probe?: boolean;
  }
}

const OneOf = <T extends string>(values: T[], description: string) =>
  Type.Unsafe<T>({ type: 'string', enum: values, description });

const LiveSchema = Type.Object({ status: Type.Literal('ok') }, { title: 'Live', description: 'Yes.' });
const ReadySchema = Type.Object(
  {
    status: Type.Literal('ok'),
    cometchat: OneOf(
      ['ok', 'failing', 'busy'],
      '`failing`: calls end in the gateway until it answers again. `busy`: so do they until there is quota again',
    ),
    redis: Type.Optional(OneOf(['ok', 'unavailable'], 'Left out where none is configured')),
  },
  {
    title: 'Ready',
    description: 'Yes; and how those are that it works with, whom no other replica reaches any better.',
  },
);

/** What the routes of both probes have in common. */
const probe = <T extends TSchema>(
  operationId: string,
  summary: string,
  schema: T,
  problems: readonly ProblemCode[],
) => ({
  config: { probe: true },
  schema: {
    operationId,
    summary,
    tags: ['operations'],
    security: [],
    response: { 200: schema, ...problemResponses(['headers-too-large', ...problems]) },
  },
});

/** What the probes look at. */
interface Watched {
  readonly eventLoop: EventLoop;
  readonly redis: Redis | undefined;
  readonly sessions: Sessions;
  readonly cometchat: CometChatClient;
}

/** Liveness and readiness: whether to restart this replica, and whether to send it requests. */
export const health: FastifyPluginAsyncTypebox<Watched> = async (
  app,
  { eventLoop, redis, sessions, cometchat },
) => {
  app.get('/livez', probe('live', 'Is the process alive?', LiveSchema, ['gateway-overloaded']), async () => {
    if (eventLoop.wasStuck)
      throw new ProblemError('gateway-overloaded', { detail: 'It was stuck just now.' });
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
      if (eventLoop.wasHeld) throw new ProblemError('gateway-overloaded');
      if (!(await sessions.canVerify())) throw new ProblemError('session-store-unavailable');
      return {
        status: 'ok' as const,
        cometchat: cometchat.state,
        ...(redis && { redis: redis.status === 'ready' ? ('ok' as const) : ('unavailable' as const) }),
      };
    },
  );
};
