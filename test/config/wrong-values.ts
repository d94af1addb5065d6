import type { Environment } from '../../src/config/variables.ts';
import { SECRET } from '../helpers/secrets.ts';

export type Name = keyof Environment;

/** What was meant for another place: it must not come back in any fault. */
export const PASTED = 'pasted(value)';

/** What the fault says, and values that it is about. */
type Wrong = readonly [rule: RegExp, ...values: string[]];

const number = (from: number, to: number): Wrong[] => [
  [
    new RegExp(`must be a whole number from ${from} to ${to}(?: \\(|$)`),
    ...[PASTED, `${from - 1}`, `${to + 1}`, `${from}.5`, '0x400', '1e3', '3s'],
  ],
];
const oneOf = (values: string): Wrong[] => [[new RegExp(`must be one of ${values}$`), PASTED, 'TRUE', 'yes']];

const KEY = [`${PASTED} key`, `${PASTED}é`, `${PASTED}\nother`, 'two words'];
/** What no token has in its claims. */
const INEXACT = [
  ...[
    `"${PASTED}"`,
    `'${PASTED}'`,
    `\`${PASTED}\``,
    `“${PASTED}”`,
    `„${PASTED}“`,
    `‘${PASTED}’`,
    `«${PASTED}»`,
  ],
  ...[`"${PASTED}`, `${PASTED}"`, `\\"${PASTED}\\"`, `a,"${PASTED}"`, `"a","b"`, `"a,b"`, `'a' , b`],
  ...[`${PASTED}\nb`, `${PASTED}\r\nb`, 'a\tb', 'a\u0000', 'a\u2028b', '\u200ba', 'a\u00adb'],
];
const ORIGINS = [
  ...[
    PASTED,
    `https://app.example,${PASTED}`,
    `https://*.${PASTED}`,
    '*',
    'https://*.app.example',
    'null',
    'a,b',
  ],
  ...[
    'https://app.example,*',
    'https://app.example/',
    'http://localhost/',
    'capacitor://localhost/x',
    'file://',
  ],
  ...['app.example', 'https://App.example', 'https://app.example:443', 'http://app.example'],
];
const NETWORKS = [
  ...[PASTED, `10.1.0.0/16,${PASTED}`, 'true', '1', 'loopback', '10.0.0.1', '10.0.0.0/7', '10.0.0.0/0x10'],
  ...['0.0.0.0/0', '0.0.0.0/1', '::/0', 'fc00::/6', 'fe80::1%eth0/64', '10.0.0.0/33', '10.0.0.0/8/8'],
  ...['::ffff:0:0/96', '0:0::ffff:0.0.0.0/97'],
];

/** What is wrong with each variable, beginning with a value that has PASTED in it; nothing where any text is right. */
export const WRONG: Record<Name, readonly Wrong[]> = {
  COMETCHAT_APP_ID: [[/must be the app id of the CometChat dashboard$/, PASTED, 'a'.repeat(64), 'a.b']],
  COMETCHAT_REGION: oneOf('us, eu, in'),
  COMETCHAT_BASE_URL: [
    [/must be the whole base URL/, PASTED, `ftp://${PASTED}`, 'chat.example/v3', 'ftp://chat.example'],
    [/must begin with https/, `http://${PASTED}.example`, 'http://chat.example/v3'],
    [
      /no user, password, query or fragment/,
      ...[`https://${PASTED}@chat.example`, 'https://me:pw@chat.example', 'https://chat.example/v3?a=1'],
      'https://chat.example/v3#a',
    ],
  ],
  COMETCHAT_API_KEY: [[/must be the REST API key of scope fullAccess/, ...KEY]],
  COMETCHAT_API_KEY_SECONDARY: [[/must be another REST API key of scope fullAccess/, ...KEY]],
  COMETCHAT_DEADLINE_MS: number(100, 60_000),
  COMETCHAT_ATTEMPT_TIMEOUT_MS: number(50, 60_000),
  COMETCHAT_MAX_CONCURRENCY: number(1, 10_000),
  COMETCHAT_CALLS_PER_MINUTE: number(1, 10_000_000),
  SESSION_SECRET: [
    [/32 bytes or more; secret number 1/, PASTED, 'é'.repeat(15)],
    [/32 bytes or more; secret number 2/, `${SECRET},${PASTED}`],
    [/32 bytes or more; secret number 3/, `${SECRET},,${PASTED},`],
    [/32 bytes or more, and not commas alone/, ',', ', ,'],
  ],
  SESSION_JWKS_URL: [
    [/must be a whole URL/, PASTED, 'login.example', 'file:///keys'],
    [
      /must begin with https/,
      ...[`http://${PASTED}.example`, 'http://login.example/', 'http://login/', 'http://notlocalhost/'],
      ...['http://127.0.0.1.evil.example/', 'http://localhost.evil.example/'],
    ],
    [
      /must have no user/,
      ...[`https://${PASTED}@login.example`, 'https://me@login.example/', 'https://:pw@login.example/'],
      'https://login.example/#keys',
    ],
  ],
  SESSION_STORE: oneOf('redis'),
  SESSION_ISSUER: [
    [/must hold what the session tokens say/, ...INEXACT],
    [/item 2 is wrong/, `${PASTED},`, 'a,,b', 'a, ,b', 'a,"b"'],
  ],
  SESSION_AUDIENCE: [
    [/must hold what the session tokens say/, ...INEXACT],
    [/item 1 is wrong/, `,${PASTED}`, ',', '"a,b'],
  ],
  SESSION_AUDIENCE_CLAIM: [
    [
      /must be the name of the claim that says whom/,
      `${PASTED} x`,
      'iss',
      'sub',
      'jti',
      'client id',
      '"client_id"',
      'aud,azp',
    ],
  ],
  SESSION_COOKIE: [[/must be the name of a cookie/, PASTED, `a=${PASTED}`, 'two words', 'a=b']],
  UID_TEMPLATE: [
    [/every session would be the same user/, PASTED, 'nobody', 'x_{iss}'],
    [/a claim stands in braces/, `{${PASTED}`, '{sub', '{ sub }', '{sub\nb}', '{"sub"}', '{{sub}}'],
    [/may only hold a-z/, `{sub}${PASTED}`],
  ],
  ON_BEHALF_OF_TEMPLATE: [
    [/every session would be the same user/, PASTED],
    [/may only hold a-z/, `{sub}${PASTED}`, 'U:{sub}'],
    [/between two claims there must be text/, `{${PASTED}}{sub}`, '{a}{b}'],
  ],
  UID_LOWERCASE: oneOf('true, false'),
  REDIS_URL: [
    [
      /must be a URL such as redis:/,
      ...[PASTED, `http://:${PASTED}@h`, 'redis', 'http://redis', 'redis://', 'redis://h?a=1', 'redis://h#a'],
    ],
    [/must have the number of a database as its path/, `redis://h/${PASTED}`, 'redis://h/zero'],
    [
      /must have no path, since a Redis Cluster has one database only/,
      `redis+cluster://h/${PASTED}`,
      'redis+cluster://h,i/0',
    ],
    [
      /must have the name of the master as its path/,
      'redis+sentinel://h',
      'redis+sentinel://h/',
      'redis+sentinel://h/m/zero',
    ],
    [
      /must be a URL such as .*redis\+cluster.*redis\+sentinel/,
      'redis://h,i',
      'redis+cluster://h,,i',
      'redis+sentinel:///m',
      'redis+other://h',
      'redis://h:99999',
    ],
    [
      /must have user and password once, before the first host/,
      `redis+cluster://:${PASTED}@h,:${PASTED}@i`,
      `redis+sentinel://:${PASTED}@@h/m`,
    ],
    [
      /must have user and password percent-encoded/,
      `redis://:${PASTED}%@h`,
      'redis://:a%b@h',
      'redis://a%:41@h',
    ],
  ],
  REDIS_SENTINEL_PASSWORD: [],
  RATE_LIMIT_PER_MINUTE: number(1, 1_000_000),
  CORS_ORIGINS: [[/must hold exact origins/, ...ORIGINS]],
  TRUST_PROXY: [[/must hold the load balancers’ networks/, ...NETWORKS]],
  HSTS_MAX_AGE: number(0, 63_072_000),
  HOST: [[/must be the address to listen on$/, `"${PASTED}"`, "'0.0.0.0'", '0.0.0.0 ::', 'http://localhost']],
  PORT: number(0, 65_535),
  ADMIN_PORT: number(0, 65_535),
  SHUTDOWN_DRAIN_MS: number(0, 600_000),
  SHUTDOWN_DEADLINE_MS: number(100, 600_000),
  LOG_LEVEL: oneOf('fatal, error, warn, info, debug, trace, silent'),
  OTEL_SDK_DISABLED: [],
  OTEL_TRACES_EXPORTER: [],
  OTEL_EXPORTER_OTLP_ENDPOINT: [[/must be an address such as/, PASTED, `http://me:${PASTED}@collector`]],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [
    [/must be an address such as/, PASTED, `http://me:${PASTED}@collector`],
  ],
  OTEL_EXPORTER_OTLP_HEADERS: [[/must be header fields such as/, PASTED, `a=${PASTED},${PASTED}`]],
  OTEL_EXPORTER_OTLP_PROTOCOL: [[/must be http\/protobuf/, PASTED, 'grpc']],
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: [[/must be http\/protobuf/, PASTED, 'http/json']],
};
