import { Type } from '@sinclair/typebox';
import { cloudBaseUrl, parseBaseUrl } from './cometchat/base-url.ts';
import type { CometChatConfig } from './cometchat/client.ts';
import { ConfigError, OneOf, readVariables, Text, Whole } from './environment.ts';
import { type IdentityConfig, parseTemplate } from './identity.ts';
import type { LogConfig } from './log.ts';
import { MIN_SECRET_BYTES, parseSecrets, type SecretSessionConfig } from './session/secret.ts';

/** Every environment variable that the gateway reads. */
export const EnvironmentSchema = Type.Object({
  COMETCHAT_APP_ID: Type.Optional(
    Text({ pattern: '^[A-Za-z0-9-]{1,63}$', must: 'be the app id of the CometChat dashboard' }),
  ),
  COMETCHAT_REGION: Type.Optional(OneOf(['us', 'eu', 'in'])),
  COMETCHAT_BASE_URL: Type.Optional(Text({ must: 'be the whole base URL of the API' })),
  COMETCHAT_API_KEY: Text({
    secret: true,
    pattern: '^[\\x21-\\x7e]+$',
    must: 'be the REST API key of scope fullAccess, in visible ASCII characters',
  }),
  COMETCHAT_DEADLINE_MS: Whole(100, 60_000, ' (milliseconds)', 3000),
  COMETCHAT_ATTEMPT_TIMEOUT_MS: Whole(50, 60_000, ' (milliseconds)', 1500),
  SESSION_SECRET: Text({
    secret: true,
    must: `be the secret that signs the session tokens, of ${MIN_SECRET_BYTES} bytes or more`,
  }),
  SESSION_ISSUER: Text({ must: 'be the "iss" of the session tokens' }),
  SESSION_AUDIENCE: Text({ must: 'be the "aud" of the session tokens' }),
  UID_TEMPLATE: Text({ default: '{sub}', must: 'be a template such as medicare_user_{sub}' }),
  ON_BEHALF_OF_TEMPLATE: Type.Optional(Text({ must: 'be a template such as {act.sub}' })),
  UID_LOWERCASE: OneOf(['true', 'false'], { default: 'false' }),
  HOST: Text({ default: '0.0.0.0', must: 'be the address to listen on' }),
  PORT: Whole(0, 65_535, ' (0 takes a free port)', 3000),
  LOG_LEVEL: OneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
});

/** What each room of the house needs to know. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  readonly log: LogConfig;
  readonly session: SecretSessionConfig;
  readonly identity: IdentityConfig;
  readonly cometchat: CometChatConfig;
}

/**
 * Reads the configuration.
 *
 * @param environment as in `process.env`; an empty value counts as unset
 * @throws ConfigError with all faults at once
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config {
  const faults: string[] = [];
  const env = readVariables(EnvironmentSchema, environment, faults);

  /** The value of a variable that has a notation of its own; a fault where it is set but cannot be read. */
  function parsed<T>(name: keyof typeof env, parse: (text: string) => T): T | undefined {
    try {
      return env[name] === undefined ? undefined : parse(String(env[name]));
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  }
  const secrets = parsed('SESSION_SECRET', parseSecrets) ?? [];
  const uid = parsed('UID_TEMPLATE', parseTemplate);
  const onBehalfOf = parsed('ON_BEHALF_OF_TEMPLATE', parseTemplate) ?? uid;
  const baseUrl =
    parsed('COMETCHAT_BASE_URL', parseBaseUrl) ??
    cloudBaseUrl(`${env.COMETCHAT_APP_ID}`, `${env.COMETCHAT_REGION}`);
  if (env.COMETCHAT_BASE_URL === undefined) {
    for (const name of ['COMETCHAT_APP_ID', 'COMETCHAT_REGION'] as const) {
      if (env[name] === undefined) faults.push(`${name}: is missing; set it, or COMETCHAT_BASE_URL instead`);
    }
  }

  if (faults.length > 0 || !uid || !onBehalfOf) throw new ConfigError(faults);
  return {
    listen: { host: env.HOST, port: env.PORT },
    log: { level: env.LOG_LEVEL, secrets: [env.COMETCHAT_API_KEY, ...secrets] },
    session: { secrets, issuer: env.SESSION_ISSUER, audience: env.SESSION_AUDIENCE },
    identity: { uid, onBehalfOf, lowercase: env.UID_LOWERCASE === 'true' },
    cometchat: {
      baseUrl,
      apiKey: env.COMETCHAT_API_KEY,
      deadlineMs: env.COMETCHAT_DEADLINE_MS,
      attemptTimeoutMs: env.COMETCHAT_ATTEMPT_TIMEOUT_MS,
    },
  };
}
