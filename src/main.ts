import closeWithGrace from 'close-with-grace';
import { fastify } from 'fastify';
import { gateway, serverOptions } from './app.ts';
import { type Config, loadConfig } from './config.ts';
import { ConfigError } from './environment.ts';
import { createLog } from './log.ts';
import { adminServer } from './operations/admin.ts';

/** EX_CONFIG of sysexits.h: something was found in an unconfigured or misconfigured state. */
const EXIT_BAD_CONFIGURATION = 78;

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
const log = createLog(config.log);
const app = fastify(serverOptions(log, config.trustedProxies));

// SIGTERM, SIGINT, an uncaught exception: finish what is in flight, then end; a second signal ends at once.
closeWithGrace({ logger: log }, async ({ signal, err }) => {
  if (err) log.fatal({ err }, 'ending after an error that nobody caught');
  else log.info({ signal }, 'shutting down');
  await app.close();
});

await app.register(gateway, config);
const admin = adminServer(app.metrics);
app.addHook('onClose', () => admin.close());
await app.listen(config.listen);
const metrics = `${await admin.listen(config.admin)}/metrics`;
log.info({ cometchat: config.cometchat.baseUrl, metrics }, 'ready');
