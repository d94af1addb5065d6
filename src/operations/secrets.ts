import { unwatchFile, watchFile } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { type Config, loadConfig } from '../config/config.ts';
import { ConfigError } from '../config/environment.ts';
import { EnvironmentSchema } from '../config/variables.ts';
import { isSameRedis } from '../redis/connection.ts';

/** A stat a file: Kubernetes and others swap links, of which a watch on the file itself would hear nothing. */
const LOOK_EVERY_MS = 1000;

/**
 * Reads the secrets again, all of them, whenever one of their files has changed, and on SIGHUP. Files that are not fit
 * to start with are not fit to go on with either: then those of before stay in use.
 *
 * @param config whose `rotating` parts are replaced
 * @param environment as loadConfig() took it
 */
export function rotateSecrets(app: FastifyInstance, config: Config, environment: NodeJS.ProcessEnv): void {
  const { log, metrics } = app;
  let isStale = false;
  const renew = (isAsked: boolean) => {
    const faults: string[] = [];
    const fresh = readAgain(config, environment, faults);
    metrics.secretReloads.inc({ result: fresh ? 'ok' : 'failed' });
    metrics.secretsStale.set(fresh ? 0 : 1);
    if (fresh) {
      const changed = replace(config, fresh);
      if (changed.length > 0) log.info({ changed }, 'the secrets have been replaced');
      else log[isAsked || isStale ? 'info' : 'debug']('the secrets were read again: they are as before');
    } else {
      log.error({ faults }, 'the secrets cannot be read again: those of before stay in use');
    }
    isStale = !fresh;
  };
  const onChange = () => renew(false);
  const onSignal = () => renew(true);
  const files = Object.keys(EnvironmentSchema.properties)
    .map((name) => environment[`${name}_FILE`])
    .filter((file): file is string => file !== undefined && file !== '');
  for (const file of files) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, onChange);
  // What was replaced between the start and the first look at the files is no change to those who look.
  const first = setTimeout(onChange, LOOK_EVERY_MS).unref();
  process.on('SIGHUP', onSignal);
  app.addHook('onClose', async () => {
    for (const file of files) unwatchFile(file, onChange);
    clearTimeout(first);
    process.off('SIGHUP', onSignal);
  });
}

/** Puts the secrets of a fresh configuration into the place of those in use. @returns the names of those that differ */
function replace(config: Config, fresh: Config): string[] {
  const changed = Object.entries(config.rotating).filter(
    ([name, { current }]) => !isDeepStrictEqual(current, fresh.rotating[name]?.current),
  );
  // First of all, so that no line can hold one of the new ones. The old ones may still come back in errors.
  const { secrets } = config.log;
  secrets.current = [...new Set([...secrets.current, ...fresh.log.secrets.current])];
  for (const [name, secret] of changed) secret.current = fresh.rotating[name]?.current;
  return changed.map(([name]) => name);
}

function readAgain(config: Config, environment: NodeJS.ProcessEnv, faults: string[]): Config | undefined {
  try {
    const fresh = loadConfig(environment);
    const [one, other] = [config.redisUrl?.current, fresh.redisUrl?.current];
    if (one === undefined || other === undefined || isSameRedis(one, other)) return fresh;
    faults.push('REDIS_URL: only its user and password can be changed without a restart');
  } catch (error) {
    /* c8 ignore next -- a defect of ours; nothing in the environment leads here */
    if (!(error instanceof ConfigError)) throw error;
    faults.push(...error.faults);
  }
  return undefined;
}
