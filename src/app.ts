import { randomUUID } from 'node:crypto';
import type {
  FastifyBaseLogger,
  FastifyHttpOptions,
  FastifyInstance,
  FastifyRequest,
  RawServerDefault,
} from 'fastify';
import { LogController } from 'fastify';
import fp from 'fastify-plugin';
import { CometChatClient } from './cometchat/client.ts';
import type { Config } from './config/config.ts';
import { conversations } from './conversations/set-tags.ts';
import { addressOf } from './http/client-address.ts';
import { allowOrigins } from './http/cors.ts';
import { EventLoop } from './http/event-loop.ts';
import { parseJsonOnly } from './http/json-body.ts';
import { shedLoad } from './http/overload.ts';
import { answerUnrouted, answerWithProblems, refuseUnrouted } from './http/problem-replies.ts';
import { answerAtTheEdge, socketErrorHandler, timeouts } from './http/raw-errors.ts';
import { addResponseHeaders } from './http/response-headers.ts';
import { validatorCompiler } from './http/validation.ts';
import { identityMapper } from './identity/identity.ts';
import { createLimit, type LimitName } from './limits/limits.ts';
import { Metrics } from './operations/metrics.ts';
import { health } from './operations/probes.ts';
import { logRequests } from './operations/request-log.ts';
import { Shutdown } from './operations/shutdown.ts';
import type { Tracing } from './operations/tracing.ts';
import { redisFor } from './redis/connection.ts';
import { authenticate, callerOf } from './session/session.ts';
import { sessionsOf } from './session/verifiers.ts';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics;
  }
}

interface GatewayOptions extends Config {
  /** Follows the requests, where traces are asked for. */
  readonly tracer?: Tracing;
}

/** The gateway: what a request meets, in this order. */
export const gateway = fp(async (app: FastifyInstance, config: GatewayOptions) => {
  const { cookieName, origins } = config.browsers;
  app.decorate('metrics', new Metrics());
  logRequests(app);
  config.tracer?.follow(app);
  addResponseHeaders(app, config.browsers.hstsMaxAge);
  answerWithProblems(app);
  if (origins.size > 0) await allowOrigins(app, { origins, credentials: cookieName !== undefined });
  refuseUnrouted(app);
  answerAtTheEdge(app);
  app.decorate('shutdown', new Shutdown(app));
  const eventLoop = new EventLoop(app);
  const redis = await redisFor(app, config.redisUrl);
  const edges = { redis, metrics: app.metrics };
  const sessions = sessionsOf(app, config.session, redis);
  const cometchat = new CometChatClient(config.cometchat, { log: app.log, ...edges });
  app.addHook('onClose', async () => cometchat.close());
  await app.register(health, { eventLoop, redis, sessions, cometchat });

  // Everything in here is for signed-in users: session -> identity -> limits -> conversations -> CometChat -> back.
  await app.register(async (me) => {
    shedLoad(me, eventLoop);
    const limit = (name: LimitName, keyOf: (request: FastifyRequest) => string) =>
      createLimit(me, name, keyOf, config.rateLimit, edges);
    authenticate(me, {
      cookieName,
      origins,
      verify: sessions.verify,
      identify: identityMapper(config.identity),
      limits: {
        address: await limit('address', addressOf),
        user: await limit('user', (request) => callerOf(request).onBehalfOf),
      },
    });
    parseJsonOnly(me);
    me.setValidatorCompiler(validatorCompiler);
    await me.register(conversations, { cometchat });
  });
});

/**
 * What Node.js and Fastify must know before there is an app.
 *
 * @param trustedProxies the networks whose X-Forwarded-* fields are believed; of all others they are ignored
 */
export const serverOptions = (log: FastifyBaseLogger, trustedProxies: readonly string[]) =>
  ({
    loggerInstance: log,
    // None at all where nobody is trusted: the fields of each request are then not even looked at.
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    // Ours alone: an id of the client's could be anybody's, or a log line of its own making.
    genReqId: () => randomUUID(),
    clientErrorHandler: socketErrorHandler,
    frameworkErrors: answerUnrouted,
    // A whole request, body included, takes milliseconds; a slow one holds a socket.
    ...timeouts(10_000, 1000),
    // Longer than a load balancer keeps an idle connection (60 s is usual), so that it never sends a
    // request into one that is just being closed.
    keepAliveTimeout: 72_000,
    // Late requests on a connection that is open are served; the reply closes it.
    return503OnClosing: false,
  }) satisfies FastifyHttpOptions<RawServerDefault>;
