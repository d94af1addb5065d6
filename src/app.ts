import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger, FastifyHttpOptions, FastifyInstance, RawServerDefault } from 'fastify';
import { LogController } from 'fastify';
import fp from 'fastify-plugin';
import { CometChatClient } from './cometchat/client.ts';
import type { Config } from './config.ts';
import { conversations } from './conversations/route.ts';
import { answerUnrouted, answerWithProblems } from './error-handlers.ts';
import { answerAtTheEdge, socketErrorHandler, timeouts } from './http-edge.ts';
import { identityMapper } from './identity.ts';
import { parseJsonOnly } from './json-body.ts';
import { health } from './operations/health.ts';
import { logRequests } from './operations/request-log.ts';
import { endConnectionsOnClose } from './operations/shutdown.ts';
import { authenticate } from './session/authenticate.ts';
import { secretSessions } from './session/secret.ts';
import { validatorCompiler } from './validation.ts';

/** The gateway: what a request meets, in this order. */
export const gateway = fp(async (app: FastifyInstance, config: Config) => {
  logRequests(app);
  answerWithProblems(app);
  answerAtTheEdge(app);
  const isDraining = endConnectionsOnClose(app);
  await app.register(health, { isDraining });

  // Everything in here is for signed-in users: session -> identity -> conversations -> CometChat -> back.
  await app.register(async (me) => {
    authenticate(me, secretSessions(config.session), identityMapper(config.identity));
    parseJsonOnly(me);
    me.setValidatorCompiler(validatorCompiler);

    const cometchat = new CometChatClient(config.cometchat);
    me.addHook('onClose', async () => cometchat.close());
    await me.register(conversations, { cometchat });
  });
});

/** What Node.js and Fastify must know before there is an app. */
export const serverOptions = (log: FastifyBaseLogger) =>
  ({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    // Ours alone: an id of the client's could be anybody's, or a log line of its own making.
    genReqId: () => randomUUID(),
    clientErrorHandler: socketErrorHandler(log),
    frameworkErrors: answerUnrouted,
    // A whole request, body included, takes milliseconds; a slow one holds a socket.
    ...timeouts(10_000, 1000),
    // Longer than a load balancer keeps an idle connection (60 s is usual), so that it never sends a
    // request into one that is just being closed.
    keepAliveTimeout: 72_000,
    // Late requests on a connection that is open are served; the reply closes it.
    return503OnClosing: false,
  }) satisfies FastifyHttpOptions<RawServerDefault>;
