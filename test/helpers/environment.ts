import { loadConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/environment.ts';
import { API_KEY, SECRET } from './secrets.ts';
import { AUDIENCE, ISSUER } from './tokens.ts';

/** Variables of a gateway, beside those of environment(); `undefined` unsets one. */
export type Variables = Record<string, string | undefined>;

/** A whole environment, good to start with against a CometChat at this address. */
export const environment = (baseUrl: string): Record<string, string> => ({
  COMETCHAT_BASE_URL: baseUrl,
  COMETCHAT_API_KEY: API_KEY,
  SESSION_SECRET: SECRET,
  SESSION_ISSUER: ISSUER,
  SESSION_AUDIENCE: AUDIENCE,
  HOST: '127.0.0.1',
  PORT: '0',
  ADMIN_PORT: '0',
  SHUTDOWN_DRAIN_MS: '0',
});

/** The faults that the configuration finds in an environment. */
export function faultsOf(env: Variables): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}
