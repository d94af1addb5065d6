import { type Static, Type } from '@sinclair/typebox';
import { MIN_SECRET_BYTES } from '../session/secret.ts';
import { OneOf, Text, Whole } from './environment.ts';

/** Claims that say something else of a token than whom it is for. */
const NO_AUDIENCES = ['iss', 'sub', 'exp', 'nbf', 'iat', 'jti'];

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
      // The file is there all the time, the key only while keys are rotated.
      mayBeEmpty: true,
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
  SESSION_AUDIENCE_CLAIM: Text({
    default: 'aud',
    pattern: `^(?!(?:${NO_AUDIENCES.join('|')})$)[^\\x00-\\x20"'\`,\\x7f-\\uffff]+$`,
    must: `be the name of the claim that says whom a session token is for, such as client_id, and none of ${NO_AUDIENCES.join(', ')}`,
  }),
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
  REDIS_SENTINEL_PASSWORD: Type.Optional(Text({ secret: true, must: 'be the password of the sentinels' })),
  RATE_LIMIT_PER_MINUTE: Whole(1, 1_000_000, '', 120),
  CORS_ORIGINS: Type.Optional(Text({ must: 'be origins such as https://app.example' })),
  TRUST_PROXY: Type.Optional(Text({ must: 'be networks such as 10.1.0.0/16' })),
  HSTS_MAX_AGE: Type.Optional(Whole(0, 63_072_000, ' (seconds)')),
  HOST: Text({ default: '0.0.0.0', pattern: '^[\\w.:%-]+$', must: 'be the address to listen on' }),
  PORT: Whole(0, 65_535, ' (0 takes a free port)', 3000),
  ADMIN_PORT: Whole(0, 65_535, ' (0 takes a free port)', 9090),
  SHUTDOWN_DRAIN_MS: Whole(0, 600_000, ' (milliseconds)', 5000),
  SHUTDOWN_DEADLINE_MS: Whole(100, 600_000, ' (milliseconds)', 15_000),
  LOG_LEVEL: OneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
  // Of OpenTelemetry's standard variables those that say whether and where to, which is for tracing.ts to judge: a
  // whole cluster may have them, for others. Its SDK reads these and all others.
  OTEL_SDK_DISABLED: Text({ default: 'false', must: 'be true or false' }),
  OTEL_TRACES_EXPORTER: Type.Optional(Text({ must: 'be otlp or none' })),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(Text({ must: 'be the address of an OTLP receiver' })),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Type.Optional(Text({ must: 'be the address of an OTLP receiver' })),
  OTEL_EXPORTER_OTLP_HEADERS: Type.Optional(Text({ secret: true, must: 'be header fields such as a=b,c=d' })),
  OTEL_EXPORTER_OTLP_PROTOCOL: Text({ default: 'http/protobuf', must: 'be http/protobuf' }),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: Type.Optional(Text({ must: 'be http/protobuf' })),
});

/** Their values, with the defaults filled in. */
export type Environment = Static<typeof EnvironmentSchema>;
