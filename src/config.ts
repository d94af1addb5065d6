import { type Static, Type } from '@sinclair/typebox';
import { cloudBaseUrl, parseBaseUrl } from './cometchat/base-url.ts';
import type { CometChatConfig } from './cometchat/client.ts';
import { ConfigError, OneOf, readVariables, Text, Whole } from './environment.ts';
import { type IdentityConfig, parseTemplate } from './identity.ts';
import type { LogConfig } from './log.ts';
import { parseTrustedProxies } from './protection/client-address.ts';
import { parseOrigins } from './protection/cors.ts';
import type { RateLimitConfig } from './protection/rate-limit.ts';
import { parseRedisUrl, redisPasswords } from './redis.ts';
import { parseJwksUrl } from './session/jwks.ts';
import { MIN_SECRET_BYTES, parseSecrets } from './session/secret.ts';
import type { SessionConfig } from './session/sessions.ts';

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
  COMETCHAT_API_KEY_SECONDARY: Type.Optional(
    Text({
      secret: true,
      pattern: '^[\\x21-\\x7e]+$',
      must: 'be another REST API key of scope fullAccess, in visible ASCII characters',
    }),
  ),
  COMETCHAT_DEADLINE_MS: Whole(100, 60_000, ' (milliseconds)', 3000),
  COMETCHAT_ATTEMPT_TIMEOUT_MS: Whole(50, 60_000, ' (milliseconds)', 1500),
  COMETCHAT_MAX_CONCURRENCY: Whole(1, 10_000, '', 256),
  COMETCHAT_CALLS_PER_MINUTE: Whole(1, 10_000_000, '', 20_000),
  SESSION_SECRET: Type.Optional(
    Text({
      secret: true,
      must: `be the secret that signs the session tokens, of ${MIN_SECRET_BYTES} bytes or more`,
    }),
  ),
  SESSION_JWKS_URL: Type.Optional(Text({ must: 'be the address of the identity provider’s keys' })),
  SESSION_STORE: Type.Optional(OneOf(['redis'])),
  SESSION_ISSUER: Type.Optional(Text({ must: 'be the "iss" of the session tokens' })),
  SESSION_AUDIENCE: Type.Optional(Text({ must: 'be the "aud" of the session tokens' })),
  SESSION_COOKIE: Type.Optional(
    Text({
      pattern: "^[\\w!#$%&'*+.^`|~-]{1,100}$",
      must: 'be the name of a cookie, such as __Host-session',
    }),
  ),
  UID_TEMPLATE: Text({ default: '{sub}', must: 'be a template such as medicare_user_{sub}' }),
  ON_BEHALF_OF_TEMPLATE: Type.Optional(Text({ must: 'be a template such as {act.sub}' })),
  UID_LOWERCASE: OneOf(['true', 'false'], { default: 'false' }),
  REDIS_URL: Type.Optional(Text({ secret: true, must: 'be the address of a Redis' })),
  RATE_LIMIT_PER_MINUTE: Whole(1, 1_000_000, '', 60),
  CORS_ORIGINS: Type.Optional(Text({ must: 'be origins such as https://app.example' })),
  TRUST_PROXY: Type.Optional(Text({ must: 'be networks such as 10.1.0.0/16' })),
  HSTS_MAX_AGE: Type.Optional(Whole(0, 63_072_000, ' (seconds)')),
  HOST: Text({ default: '0.0.0.0', must: 'be the address to listen on' }),
  PORT: Whole(0, 65_535, ' (0 takes a free port)', 3000),
  ADMIN_PORT: Whole(0, 65_535, ' (0 takes a free port)', 9090),
  LOG_LEVEL: OneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
});

type Environment = Static<typeof EnvironmentSchema>;

/** The variables that say which kind of session there is: one of them is set. */
const SESSION_KINDS = ['SESSION_SECRET', 'SESSION_JWKS_URL', 'SESSION_STORE'] as const;

/** What each room of the house needs to know. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  readonly admin: { readonly host: string; readonly port: number };
  readonly trustedProxies: readonly string[];
  readonly log: LogConfig;
  readonly browsers: BrowserConfig;
  readonly session: SessionConfig;
  readonly redisUrl: string | undefined;
  readonly rateLimit: RateLimitConfig;
  readonly identity: IdentityConfig;
  readonly cometchat: CometChatConfig;
}

/** What is of use only where pages call. */
interface BrowserConfig {
  readonly origins: ReadonlySet<string>;
  readonly cookieName: string | undefined;
  readonly hstsMaxAge: number | undefined;
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
  function parsed<T>(name: keyof Environment, parse: (text: string) => T): T | undefined {
    try {
      return env[name] === undefined ? undefined : parse(String(env[name]));
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  }
  const secrets = parsed('SESSION_SECRET', parseSecrets) ?? [];
  const jwksUrl = parsed('SESSION_JWKS_URL', parseJwksUrl);
  const redisUrl = parsed('REDIS_URL', parseRedisUrl);
  const origins = parsed('CORS_ORIGINS', parseOrigins) ?? new Set();
  const trustedProxies = parsed('TRUST_PROXY', parseTrustedProxies) ?? [];
  const uid = parsed('UID_TEMPLATE', parseTemplate);
  const onBehalfOf = parsed('ON_BEHALF_OF_TEMPLATE', parseTemplate) ?? uid;
  const baseUrl =
    parsed('COMETCHAT_BASE_URL', parseBaseUrl) ??
    cloudBaseUrl(`${env.COMETCHAT_APP_ID}`, `${env.COMETCHAT_REGION}`);
  faults.push(...faultsTogether(env, faults));

  if (faults.length > 0 || !uid || !onBehalfOf) throw new ConfigError(faults);
  const { COMETCHAT_API_KEY: apiKey, COMETCHAT_API_KEY_SECONDARY: secondKey } = env;
  const apiKeys = secondKey === undefined ? [apiKey] : [apiKey, secondKey];
  return {
    listen: { host: env.HOST, port: env.PORT },
    admin: { host: env.HOST, port: env.ADMIN_PORT },
    trustedProxies,
    log: {
      level: env.LOG_LEVEL,
      secrets: [...apiKeys, ...secrets, ...(redisUrl === undefined ? [] : redisPasswords(redisUrl))],
    },
    browsers: { origins, cookieName: env.SESSION_COOKIE, hstsMaxAge: env.HSTS_MAX_AGE },
    session: sessionConfig(env, secrets, jwksUrl),
    redisUrl,
    rateLimit: { perMinute: env.RATE_LIMIT_PER_MINUTE },
    identity: { uid, onBehalfOf, lowercase: env.UID_LOWERCASE === 'true' },
    cometchat: {
      baseUrl,
      apiKeys,
      deadlineMs: env.COMETCHAT_DEADLINE_MS,
      attemptTimeoutMs: env.COMETCHAT_ATTEMPT_TIMEOUT_MS,
      maxConcurrency: env.COMETCHAT_MAX_CONCURRENCY,
      callsPerMinute: env.COMETCHAT_CALLS_PER_MINUTE,
    },
  };
}

/** The kind of session that the variables choose; there is one, with all that it needs. */
function sessionConfig(env: Environment, secrets: readonly string[], url: string | undefined): SessionConfig {
  if (env.SESSION_STORE) return { kind: 'redis' };
  const rules = { issuer: `${env.SESSION_ISSUER}`, audience: `${env.SESSION_AUDIENCE}` };
  return url === undefined ? { kind: 'secret', secrets, ...rules } : { kind: 'jwks', url, ...rules };
}

/** The faults of variables that need, or exclude, one another; `faults` are those already known. */
function faultsTogether(env: Partial<Environment>, faults: readonly string[]): string[] {
  const found: string[] = [];
  if (env.COMETCHAT_BASE_URL === undefined) {
    for (const name of ['COMETCHAT_APP_ID', 'COMETCHAT_REGION'] as const) {
      if (env[name] === undefined) found.push(`${name}: is missing; set it, or COMETCHAT_BASE_URL instead`);
    }
  }
  if (
    env.COMETCHAT_API_KEY_SECONDARY !== undefined &&
    env.COMETCHAT_API_KEY_SECONDARY === env.COMETCHAT_API_KEY
  ) {
    found.push('COMETCHAT_API_KEY_SECONDARY: must be another key than COMETCHAT_API_KEY');
  }
  const [kind, ...others] = SESSION_KINDS.filter((name) => env[name] !== undefined);
  if (kind === undefined && !faults.some((fault) => fault.startsWith('SESSION_SECRET_FILE: '))) {
    found.push('SESSION_SECRET: is missing; set it, or SESSION_JWKS_URL or SESSION_STORE instead');
  }
  for (const name of others)
    found.push(`${name}: must not be set beside ${kind}; there is one kind of session`);
  if (kind === 'SESSION_STORE' && env.REDIS_URL === undefined) {
    found.push('REDIS_URL: is missing; SESSION_STORE=redis needs it');
  }
  if (kind !== 'SESSION_STORE') {
    for (const name of ['SESSION_ISSUER', 'SESSION_AUDIENCE'] as const) {
      if (env[name] === undefined)
        found.push(`${name}: is missing; without it tokens made for others would be good`);
    }
  }
  if (env.PORT === env.ADMIN_PORT && env.PORT !== 0) {
    found.push('ADMIN_PORT: must not be PORT, which is open to everybody');
  }
  return found;
}
