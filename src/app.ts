import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger, FastifyHttpOptions, FastifyInstance, RawServerDefault } from 'fastify';
import { LogController } from 'fastify';
import fp from 'fastify-plugin';
import { CometChatClient } from './cometchat/client.ts';
import type { Config } from './config.ts';
import { conversations } from './conversations/route.ts';
import { answerUnrouted, answerWithProblems, refuseUnrouted } from './error-handlers.ts';
import { answerAtTheEdge, socketErrorHandler, timeouts } from './http-edge.ts';
import { identityMapper } from './identity.ts';
import { parseJsonOnly } from './json-body.ts';
import { health } from './operations/health.ts';
import { Metrics } from './operations/metrics.ts';
import { logRequests } from './operations/request-log.ts';
import { endConnectionsOnClose } from './operations/shutdown.ts';
import { addressOf } from './protection/client-address.ts';
import { allowOrigins } from './protection/cors.ts';
import { createLimit } from './protection/rate-limit.ts';
import { addResponseHeaders } from './protection/response-headers.ts';
import { redisFor } from './redis.ts';
import { authenticate, callerOf } from './session/authenticate.ts';
import { sessionVerifier } from './session/sessions.ts';
import { validatorCompiler } from './validation.ts';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics;
  }
}

/** The gateway: what a request meets, in this order. */
export const gateway = fp(async (app: FastifyInstance, config: Config) => {
  const { cookieName, origins } = config.browsers;
  app.decorate('metrics', new Metrics());
  logRequests(app);
  addResponseHeaders(app, config.browsers.hstsMaxAge);
  answerWithProblems(app);
  if (origins.size > 0) await allowOrigins(app, { origins, credentials: cookieName !== undefined });
  refuseUnrouted(app);
  answerAtTheEdge(app);
  const isDraining = endConnectionsOnClose(app);
  await app.register(health, { isDraining });

  // Everything in here is for signed-in users: session -> identity -> limits -> conversations -> CometChat -> back.
  await app.register(async (me) => {
    const redis = redisFor(me, config.redisUrl);
    const edges = { redis, metrics: me.metrics };
    authenticate(me, {
      cookieName,
      origins,
      verify: sessionVerifier(me, config.session, redis),
      identify: identityMapper(config.identity),
      limits: {
        address: await createLimit(me, 'address', addressOf, config.rateLimit, edges),
        user: await createLimit(
          me,
          'user',
          (request) => callerOf(request).onBehalfOf,
          config.rateLimit,
          edges,
        ),
      },
    });
    parseJsonOnly(me);
    me.setValidatorCompiler(validatorCompiler);

    const cometchat = new CometChatClient(config.cometchat, { log: app.log, ...edges });
    me.addHook('onClose', async () => cometchat.close());
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
    trustProxy: [...trustedProxies],
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
