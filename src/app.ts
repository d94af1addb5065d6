import {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from 'fastify';
import fp from 'fastify-plugin';
import { MACHINE, type Seams, type Services } from './base/services.ts';
import { cometChatClient } from './cometchat/client.ts';
import type { Config } from './config/config.ts';
import { conversations } from './conversations/routes.ts';
import { allowOrigins } from './http/cors.ts';
import {
  addResponseHeaders,
  closeAfterUnreadBody,
  newRequestId,
  rejectUnknownRoutes,
  setResponseHeaders,
} from './http/front-door.ts';
import { EventLoop, shedLoad } from './http/overload.ts';
import { goodRequestsFirst } from './http/priority.ts';
import { replyWithProblem, replyWithProblems } from './http/problem-replies.ts';
import { handleRawErrors, socketErrorHandler, timeouts } from './http/raw-errors.ts';
import { logRefusals } from './http/refusals.ts';
import { buildSerializer } from './http/serializers.ts';
import { identity } from './identity/identity.ts';
import { limits } from './limits/limits.ts';
import { probes } from './operations/probes.ts';
import { PrometheusMetrics } from './operations/prometheus.ts';
import { requestLog } from './operations/request-log.ts';
import { gracefulShutdown } from './operations/shutdown.ts';
import type { Tracing } from './operations/tracing.ts';
import { showVersion } from './operations/version.ts';
import { redisConnection } from './redis/connection.ts';
import { session } from './session/session.ts';
import { verifierOf } from './session/verifiers.ts';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: PrometheusMetrics;
  }
}

interface GatewayOptions extends Config {
  /** Where traces are asked for. */
  readonly tracer?: Tracing;
  /** Clock, chance and name lookup, which tests replace. */
  readonly seams?: Partial<Seams>;
}

/** The gateway. A request meets the parts in the order in which they are registered. */
export const gateway = fp(async (app: FastifyInstance, config: GatewayOptions) => {
  const { cookieName, origins, hstsMaxAge } = config.browsers;
  const metrics = new PrometheusMetrics();
  app.decorate('metrics', metrics);
  showVersion(metrics);
  const redis = config.redis && (await redisConnection(config.redis, { log: app.log, metrics }));
  const seams = { ...MACHINE, ...config.seams };
  const services: Services = { log: app.log, metrics, redis: redis?.client, seams };
  const verifier = verifierOf(config.session, services);
  const cometchat = cometChatClient(config.cometchat, services);
  const eventLoop = new EventLoop();

  // Every request.
  logRefusals(app, services);
  await app.register(requestLog, { metrics });
  config.tracer?.follow(app);
  addResponseHeaders(app, hstsMaxAge);
  replyWithProblems(app);
  await allowOrigins(app, { origins, credentials: cookieName !== undefined });
  rejectUnknownRoutes(app);
  closeAfterUnreadBody(app);
  handleRawErrors(app, services);
  await app.register(gracefulShutdown);
  eventLoop.watch(app);
  await app.register(probes, { eventLoop, canVerify: verifier.canVerify, cometchat, redis });

  // The requests of signed-in users: session -> identity -> limits -> conversations -> cometchat.
  await app.register(async (me) => {
    shedLoad(me, eventLoop);
    goodRequestsFirst(me);
    await me.register(session, { ...verifier, cookieName, origins, metrics });
    await me.register(identity, config.identity);
    await me.register(limits, { perMinute: config.rateLimit.perMinute, services });
    await me.register(conversations, { cometchat });
  });

  app.addHook('onReady', async () => {
    await redis?.connect();
    await verifier.start?.();
  });
  app.addHook('onClose', async () => {
    cometchat.close();
    verifier.close?.();
    redis?.close();
  });
});

/**
 * The options that Node.js and Fastify need before there is an app.
 *
 * @param trustedProxies the networks whose X-Forwarded-* fields are believed; those of all others are ignored
 */
export const serverOptions = (log: FastifyBaseLogger, trustedProxies: readonly string[]) =>
  ({
    loggerInstance: log,
    // `false` where no proxy is trusted: Fastify then skips X-Forwarded-* altogether.
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: newRequestId,
    schemaController: { compilersFactory: { buildSerializer } },
    clientErrorHandler: socketErrorHandler,
    frameworkErrors: onFrameworkError,
    // A whole request, body included, takes milliseconds; a slow one holds a socket.
    ...timeouts(10_000, 1000),
    // Longer than a load balancer keeps an idle connection (60 s is usual), so that it never sends a request into one that
    // is just being closed.
    keepAliveTimeout: 72_000,
    // While it shuts down, requests on open connections are still served; the reply closes the connection.
    return503OnClosing: false,
  }) satisfies FastifyHttpOptions<RawServerDefault>;

/** Answers a request that Fastify cannot route at all. No hook sees it, so the steps of the hooks are taken here. */
function onFrameworkError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { server } = request;
  server.logRequest(request, reply);
  setResponseHeaders(reply);
  reply.headers(server.crossOriginHeaders(request.headers.origin ?? ''));
  if (server.shutdown.isDraining) reply.header('connection', 'close');
  replyWithProblem(error, request, reply);
}
