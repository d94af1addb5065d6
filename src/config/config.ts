import type { Rotating } from '../base/rotating.ts';
import { cloudBaseUrl, parseBaseUrl } from '../cometchat/base-url.ts';
import { parseTrustedProxies } from '../http/client-address.ts';
import { parseOrigins } from '../http/cors.ts';
import { parseTemplate } from '../identity/identity.ts';
import { parseRedisUrl, type RedisTarget } from '../redis/url.ts';
import { parseJwksUrl } from '../session/jwks.ts';
import { type JwtRules, parseNames } from '../session/jwt.ts';
import { parseSecrets } from '../session/secret.ts';
import type { SessionConfig } from '../session/verifiers.ts';
import { ConfigError, readVariables } from './environment.ts';
import { headerValues, tracingConfig } from './tracing.ts';
import { type Environment, EnvironmentSchema } from './variables.ts';
import { proxiesInUse, warningsOf } from './warnings.ts';

/** The variables that say which kind of session there is: one of them is set. */
const SESSION_KINDS = ['SESSION_SECRET', 'SESSION_JWKS_URL', 'SESSION_STORE'] as const;

/** What each room needs to know. */
export type Config = ReturnType<typeof loadConfig>;

/**
 * Reads the configuration.
 *
 * @param environment as in `process.env`
 * @returns it, with `warnings`: a line for each variable that is hardly what somebody has meant
 * @throws ConfigError with all faults at once
 */
export function loadConfig(environment: NodeJS.ProcessEnv) {
  const faults: string[] = [];
  const env = readVariables(EnvironmentSchema, environment, faults);

  /** The value of a variable with a notation of its own. */
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
  const rules = {
    issuers: parsed('SESSION_ISSUER', parseNames) ?? [],
    audiences: parsed('SESSION_AUDIENCE', parseNames) ?? [],
    audienceClaim: env.SESSION_AUDIENCE_CLAIM,
  };
  const redisTarget = parsed('REDIS_URL', parseRedisUrl);
  const origins: ReadonlySet<string> = parsed('CORS_ORIGINS', parseOrigins) ?? new Set();
  const trustedProxies = parsed('TRUST_PROXY', parseTrustedProxies) ?? [];
  const uid = parsed('UID_TEMPLATE', parseTemplate);
  const onBehalfOf = parsed('ON_BEHALF_OF_TEMPLATE', parseTemplate) ?? uid;
  const baseUrl =
    parsed('COMETCHAT_BASE_URL', parseBaseUrl) ??
    cloudBaseUrl(`${env.COMETCHAT_APP_ID}`, `${env.COMETCHAT_REGION}`);
  const tracing = tracingConfig(env, faults);
  faults.push(...faultsTogether(env, faults));
  const warnings = warningsOf(env, environment);

  if (faults.length > 0 || !uid || !onBehalfOf) throw new ConfigError(faults, warnings);
  const { COMETCHAT_API_KEY: apiKey, COMETCHAT_API_KEY_SECONDARY: secondKey } = env;
  // While keys are rotated, both files may hold the same one for a while.
  const apiKeys = {
    current: secondKey === undefined || secondKey === apiKey ? [apiKey] : [apiKey, secondKey],
  };
  const sessionSecrets = { current: secrets };
  const otlpHeaders = env.OTEL_EXPORTER_OTLP_HEADERS;
  const target: Rotating<RedisTarget> | undefined = redisTarget && { current: redisTarget };
  const sentinelPassword: Rotating<string | undefined> = { current: env.REDIS_SENTINEL_PASSWORD };
  const logged: Rotating<readonly string[]> = {
    current: [
      ...apiKeys.current,
      ...secrets,
      ...(redisTarget?.passwords ?? []),
      ...(env.REDIS_SENTINEL_PASSWORD === undefined ? [] : [env.REDIS_SENTINEL_PASSWORD]),
      ...(otlpHeaders === undefined ? [] : headerValues(otlpHeaders)),
    ],
  };
  const variables: Rotating<Readonly<Record<string, unknown>>> = {
    current: {
      COMETCHAT_API_KEY: apiKey,
      COMETCHAT_API_KEY_SECONDARY: secondKey,
      SESSION_SECRET: secrets,
      REDIS_URL: redisTarget,
      REDIS_SENTINEL_PASSWORD: env.REDIS_SENTINEL_PASSWORD,
      OTEL_EXPORTER_OTLP_HEADERS: tracing?.headers.current,
    },
  };
  const rotating: Readonly<Record<string, Rotating<unknown>>> = {
    apiKeys,
    sessionSecrets,
    ...(target && { target, sentinelPassword }),
    ...(tracing && { otlpHeaders: tracing.headers }),
  };
  return {
    listen: { host: env.HOST, port: env.PORT },
    admin: { host: env.HOST, port: env.ADMIN_PORT },
    // In milliseconds from SIGTERM on: how long requests are still served, and when everything has ended.
    shutdown: { drainMs: env.SHUTDOWN_DRAIN_MS, deadlineMs: env.SHUTDOWN_DEADLINE_MS },
    trustedProxies,
    log: { level: env.LOG_LEVEL, secrets: logged },
    browsers: { origins, cookieName: env.SESSION_COOKIE, hstsMaxAge: env.HSTS_MAX_AGE },
    session: sessionConfig(env, rules, sessionSecrets, jwksUrl),
    redis: target && { target, sentinelPassword },
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
    tracing,
    proxies: proxiesInUse(environment),
    variables,
    rotating,
    warnings,
  };
}

function sessionConfig(
  env: Environment,
  rules: JwtRules,
  secrets: Rotating<readonly string[]>,
  url: string | undefined,
): SessionConfig {
  if (env.SESSION_STORE) return { kind: 'redis' };
  return url === undefined ? { kind: 'secret', secrets, ...rules } : { kind: 'jwks', url, ...rules };
}

/** The faults of variables that need or exclude one another, except for variables that have a fault already. */
function faultsTogether(env: Partial<Environment>, faults: readonly string[]): string[] {
  const found: string[] = [];
  const wrong = new Set(faults.map((fault) => fault.slice(0, fault.indexOf(':')).replace(/_FILE$/, '')));
  const isSet = (name: keyof Environment) => env[name] !== undefined || wrong.has(name);
  const areRight = (...names: readonly (keyof Environment)[]) => !names.some((name) => wrong.has(name));
  if (env.COMETCHAT_BASE_URL === undefined) {
    for (const name of ['COMETCHAT_APP_ID', 'COMETCHAT_REGION'] as const) {
      if (env[name] === undefined) found.push(`${name}: is missing; set it, or COMETCHAT_BASE_URL instead`);
    }
  }
  const [kind, ...others] = SESSION_KINDS.filter(isSet);
  if (kind === undefined) {
    found.push('SESSION_SECRET: is missing; set it, or SESSION_JWKS_URL or SESSION_STORE instead');
  }
  for (const name of others)
    found.push(`${name}: must not be set beside ${kind}; there is one kind of session`);
  if (kind === 'SESSION_STORE' && !isSet('REDIS_URL')) {
    found.push('REDIS_URL: is missing; SESSION_STORE=redis needs it');
  }
  if (kind !== 'SESSION_STORE') {
    for (const name of ['SESSION_ISSUER', 'SESSION_AUDIENCE'] as const) {
      if (env[name] === undefined)
        found.push(`${name}: is missing; without it tokens made for others would be good`);
    }
  }
  if (
    Number(env.SHUTDOWN_DEADLINE_MS) <= Number(env.SHUTDOWN_DRAIN_MS) &&
    areRight('SHUTDOWN_DRAIN_MS', 'SHUTDOWN_DEADLINE_MS')
  ) {
    found.push('SHUTDOWN_DEADLINE_MS: must be more than SHUTDOWN_DRAIN_MS, or calls in flight are cut off');
  }
  if (env.PORT === env.ADMIN_PORT && env.PORT !== 0 && areRight('PORT', 'ADMIN_PORT')) {
    found.push('ADMIN_PORT: must not be PORT, which is open to everybody');
  }
  return found;
}
