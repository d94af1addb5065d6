import { isSameRedis } from '../redis/url.ts';
import { type Config, loadConfig } from './config.ts';
import { ConfigError, textOf } from './environment.ts';
import { EnvironmentSchema } from './variables.ts';

/** @returns the files that secrets come from */
export const secretFiles = (environment: NodeJS.ProcessEnv): string[] =>
  Object.keys(EnvironmentSchema.properties)
    .map((name) => textOf(environment[`${name}_FILE`]))
    .filter((file) => file !== undefined);

/**
 * Reads the configuration again while the process runs.
 *
 * @param config in use
 * @param environment as loadConfig() took it
 * @returns the new one, or why it cannot replace the one in use
 */
export function reloadConfig(
  config: Config,
  environment: NodeJS.ProcessEnv,
): Config | { faults: readonly string[] } {
  try {
    const fresh = loadConfig(environment);
    const [one, other] = [config.redis?.target.current, fresh.redis?.target.current];
    if (one === undefined || other === undefined || isSameRedis(one, other)) return fresh;
    return { faults: ['REDIS_URL: only its user and password can be changed without a restart'] };
  } catch (error) {
    /* c8 ignore next -- a defect of ours; nothing in the environment leads here */
    if (!(error instanceof ConfigError)) throw error;
    return { faults: error.faults };
  }
}
