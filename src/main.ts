import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import { fastify } from 'fastify';
import { collectDefaultMetrics } from 'prom-client';
import { gateway, serverOptions } from './app.ts';
import { type Config, loadConfig } from './config/config.ts';
import { ConfigError } from './config/environment.ts';
import { reloadConfig, secretFiles } from './config/reload.ts';
import { adminServer } from './operations/admin.ts';
import { createLog } from './operations/log.ts';
import { rotateSecrets, WARNED } from './operations/secrets.ts';
import { Stdout } from './operations/stdout.ts';
import { VERSION } from './operations/version.ts';

/** EX_CONFIG of sysexits.h: something was found in an unconfigured or misconfigured state. */
const EXIT_BAD_CONFIGURATION = 78;

/** How long a reader of stdout that is behind has at the end. */
const LAST_LINES_MS = 1000;

function configuration(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    /* c8 ignore next -- a defect of ours; nothing in the environment leads here */
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_BAD_CONFIGURATION);
  }
}

const config = configuration();
const stdout = new Stdout();
const log = createLog(config.log, stdout);
for (const warning of config.warnings) log.warn({ warning }, WARNED);
const app = fastify(serverOptions(log, config.trustedProxies));

let isReady = false;

// SIGTERM, SIGINT, an uncaught exception: finish what is in flight, then end; a second signal ends at once. Only SIGTERM
// drains first: load balancers send it, and a person who presses Ctrl-C does not want to wait.
closeWithGrace(
  {
    logger: log,
    // Its own deadline would leave no time to write what was cut off.
    delay: false,
    skip: ['SIGHUP'],
    onSecondError: (err) => log.fatal({ err }, 'ending at once after an error on the way out'),
  },
  async ({ signal, err }) => {
    if (signal) log.info({ signal }, 'shutting down');
    else if (isReady) log.fatal({ err }, 'ending after an error that nobody caught');
    else log.fatal({ err }, 'the gateway could not start');
    const { deadlineMs, drainMs } = config.shutdown;
    const close = async () => {
      if (signal === 'SIGTERM') await app.shutdown.drain(drainMs);
      await app.close();
      return true;
    };
    // Before the start is over there are no calls to wait for.
    const isClosed = !app.server.listening || (await Promise.race([close(), wait(deadlineMs, false)]));
    if (!isClosed) {
      log.error({ calls: app.shutdown.callsInHand }, 'the shutdown took too long: calls were cut off');
    }
    await stdout.flush(LAST_LINES_MS);
    // `undefined` can be thrown too, and would pass for a good end.
    if (!signal || !isClosed) process.exit(1);
  },
);

// Loaded only where traces are asked for: it makes the start a fifth of a second longer.
const tracer = config.tracing && new (await import('./operations/tracing.ts')).Tracing(config.tracing, log);
await app.register(gateway, { ...config, ...(tracer && { tracer }) });
stdout.follow(log, app.metrics);
collectDefaultMetrics({ register: app.metrics.registry });
const admin = adminServer(app.metrics);
rotateSecrets(app, {
  metrics: app.metrics,
  current: config,
  files: secretFiles(process.env),
  reload: () => reloadConfig(config, process.env),
});
app.addHook('onClose', () => admin.close());
await app.listen(config.listen);
const metrics = `${await admin.listen(config.admin)}/metrics`;
const { session, redis, proxies, cometchat } = config;
log.info(
  {
    version: VERSION,
    session: session.kind,
    ...(session.kind === 'secret' && { secrets: session.secrets.current.length }),
    keys: cometchat.apiKeys.current.length,
    redis: redis?.target.current.kind ?? 'none',
    proxy: proxies.join(' ') || 'none',
    cometchat: cometchat.baseUrl,
    metrics,
  },
  'ready',
);
isReady = true;
// Only now, because it would make the start longer: hot code is optimised after 1,000 invocations instead of 3,000.
setFlagsFromString('--invocation-count-for-turbofan=1000');
