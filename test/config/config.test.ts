import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { environment, faultsOf, type Variables } from '../helpers/environment.ts';
import { API_KEY, SECRET } from '../helpers/secrets.ts';

const good = environment('https://chat.example/v3/');
const JWKS = 'https://login.example/jwks.json';
const OLDER = 'o'.repeat(32);

/** What becomes of a good environment with these variables set, or unset by `undefined`. */
const load = (overrides: Variables) => loadConfig({ ...good, ...overrides });
const faults = (overrides: Variables) => faultsOf({ ...good, ...overrides });

t.test('defaults are filled in, and an empty value counts as unset', async (t) => {
  const empty = Object.fromEntries(Object.keys(EnvironmentSchema.properties).map((name) => [name, '']));
  const config = loadConfig({ ...empty, ...good, HOST: '', PORT: '', COMETCHAT_API_KEY_FILE: '' });
  t.match(config, {
    listen: { host: '0.0.0.0', port: 3000 },
    log: { level: 'info' },
    session: { secrets: { current: [SECRET] } },
    rateLimit: { perMinute: 120 },
    identity: { lowercase: false, uid: { prefix: '', parts: [{ claim: 'sub', suffix: '' }] } },
    cometchat: {
      baseUrl: 'https://chat.example/v3',
      apiKeys: { current: [API_KEY] },
      deadlineMs: 3000,
      attemptTimeoutMs: 1500,
    },
  });
  t.equal(config.identity.onBehalfOf, config.identity.uid);
});

t.test('white space at the ends of a value is no part of it', async (t) => {
  const padded = (text: string) => `\ufeff \t\u00a0${text}\u00a0 \t\r\n`;
  const all = {
    ...good,
    COMETCHAT_API_KEY_SECONDARY: 'another-key',
    COMETCHAT_DEADLINE_MS: '2000',
    SESSION_SECRET: `${SECRET},${OLDER}`,
    SESSION_COOKIE: '__Host-session',
    UID_TEMPLATE: 'user_{sub}',
    ON_BEHALF_OF_TEMPLATE: '{act.sub}',
    UID_LOWERCASE: 'true',
    REDIS_URL: 'redis://:password@h',
    CORS_ORIGINS: 'https://app.example,https://b.example',
    TRUST_PROXY: '10.1.0.0/16',
    HSTS_MAX_AGE: '60',
    LOG_LEVEL: 'warn',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=b',
  };
  const every = Object.entries(all).map(([name, value]) => [name, padded(value)]);
  t.strictSame(loadConfig(Object.fromEntries(every)), loadConfig(all));
  t.strictSame(load({ HOST: ' \n', COMETCHAT_API_KEY_FILE: ' ' }), load({ HOST: '' }), 'which alone is none');
});

t.test('a secondary API key that is empty, or the first one, counts as none', async (t) => {
  const keys = (secondary: string) =>
    load({ COMETCHAT_API_KEY_SECONDARY: secondary }).cometchat.apiKeys.current;
  t.strictSame(keys('another-key'), [API_KEY, 'another-key']);
  for (const none of ['', ' ', API_KEY, ` ${API_KEY}\n`]) t.strictSame(keys(none), [API_KEY]);
});

t.test('app id and region give the base URL of CometChat’s cloud', async (t) => {
  const cloud = { COMETCHAT_BASE_URL: undefined, COMETCHAT_APP_ID: '26f0A1', COMETCHAT_REGION: 'eu' };
  t.equal(load(cloud).cometchat.baseUrl, 'https://26f0A1.api-eu.cometchat.io/v3');
});

t.test('there is one kind of session, with all that it needs', async (t) => {
  const none = { SESSION_SECRET: undefined, SESSION_ISSUER: undefined, SESSION_AUDIENCE: undefined };
  const rules = { SESSION_ISSUER: 'https://login.example', SESSION_AUDIENCE: 'cometchat-gateway' };
  t.strictSame(load({ ...none, ...rules, SESSION_JWKS_URL: JWKS }).session, {
    kind: 'jwks',
    url: JWKS,
    issuers: ['https://login.example'],
    audiences: ['cometchat-gateway'],
    audienceClaim: 'aud',
  });
  const several = {
    SESSION_ISSUER: ' https://a.example ,https://b.example/',
    SESSION_AUDIENCE: '\tweb, app\n',
  };
  t.match(load({ ...several, SESSION_AUDIENCE_CLAIM: 'client_id' }).session, {
    issuers: ['https://a.example', 'https://b.example/'],
    audiences: ['web', 'app'],
    audienceClaim: 'client_id',
  });
  const redis = { SESSION_STORE: 'redis', REDIS_URL: 'redis://h' };
  t.strictSame(load({ ...none, ...redis }).session, { kind: 'redis' });
});

t.test('several session secrets are taken, newest first', async (t) => {
  t.match(load({ SESSION_SECRET: `${SECRET}, ${OLDER}` }).session, {
    kind: 'secret',
    secrets: { current: [SECRET, OLDER] },
  });
});

t.test('of session secrets empty ones count as none, and repeated ones once', async (t) => {
  const lists = [`${SECRET},`, `,${SECRET}`, ` , ${SECRET},,`, `${SECRET},${SECRET}`, `${SECRET} ,${SECRET}`];
  for (const SESSION_SECRET of lists) {
    t.match(load({ SESSION_SECRET }).session, { secrets: { current: [SECRET] } });
  }
  t.match(load({ SESSION_SECRET: `${SECRET},${OLDER},${SECRET}` }).session, {
    secrets: { current: [SECRET, OLDER] },
  });
});

t.test('a session secret is measured in bytes', async (t) => {
  t.strictSame(faults({ SESSION_SECRET: 'é'.repeat(16) }), []);
});

t.test('a secret comes from the file that NAME_FILE names, without white space at its ends', async (t) => {
  const dir = t.testdir();
  const from = (name: string, content: string) => {
    writeFileSync(join(dir, name), content);
    return { [name]: '', [`${name}_FILE`]: `${join(dir, name)}\n` };
  };
  const config = load({
    // As editors on Windows write it.
    ...from('COMETCHAT_API_KEY', `\ufeff${API_KEY}\r\n`),
    ...from('SESSION_SECRET', SECRET),
    ...from('REDIS_URL', 'redis://:password@h\n'),
  });
  t.strictSame(config.cometchat.apiKeys.current, [API_KEY]);
  t.match(config.session, { kind: 'secret', secrets: { current: [SECRET] } });
  t.strictSame(config.redis?.target, { current: parseRedisUrl('redis://:password@h') });
  t.match(config.redis?.target.current, {
    kind: 'single',
    hosts: [{ host: 'h', port: 6379 }],
    password: 'password',
  });
});

t.test('the log knows every secret that it must not write', async (t) => {
  const { secrets } = load({
    SESSION_SECRET: `${SECRET},${OLDER}`,
    REDIS_URL: 'redis://me:p%40ssword@h',
    REDIS_SENTINEL_PASSWORD: 'guard',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc,x-key=k',
  }).log;
  t.strictSame(secrets.current, [
    API_KEY,
    SECRET,
    OLDER,
    ...['p%40ssword', 'p@ssword', 'guard'],
    ...['Basic%20abc', 'Basic abc', 'k', 'k'],
  ]);
  t.strictSame(load({ REDIS_URL: 'redis://h' }).log.secrets.current, [API_KEY, SECRET]);
});

t.test('keys come over https, or from this machine', async (t) => {
  const local = ['http://127.0.0.1:8080/', 'http://[::1]/', 'http://localhost/'];
  for (const url of ['https://login.example/keys?v=1', ...local]) {
    t.strictSame(faults({ SESSION_SECRET: undefined, SESSION_JWKS_URL: url }), [], url);
  }
});

t.test('plain http is for loopback and for names of a container network', async (t) => {
  for (const host of ['127.0.0.1:4000', '[::1]:4000', 'localhost:4000', 'sandbox:4000']) {
    t.strictSame(faults({ COMETCHAT_BASE_URL: `http://${host}/v3` }), [], host);
  }
});

t.test('pages and load balancers are listed exactly', async (t) => {
  const { browsers, trustedProxies } = load({
    CORS_ORIGINS: 'https://app.example, http://localhost:5173,capacitor://localhost',
    TRUST_PROXY: '10.1.0.0/16, fc00::/7,192.0.2.7/32,::1/128',
    SESSION_COOKIE: '__Host-session',
    HSTS_MAX_AGE: '31536000',
  });
  t.strictSame(
    [...browsers.origins],
    ['https://app.example', 'http://localhost:5173', 'capacitor://localhost'],
  );
  t.match(browsers, { cookieName: '__Host-session', hstsMaxAge: 31_536_000 });
  t.strictSame(trustedProxies, ['10.1.0.0/16', 'fc00::/7', '192.0.2.7/32', '::1/128']);
});

t.test('traces are sent where OpenTelemetry’s variables ask for them', async (t) => {
  const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  const asking: Variables[] = [
    collector,
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' },
    { OTEL_TRACES_EXPORTER: 'otlp' },
    { OTEL_TRACES_EXPORTER: 'otlp,console', OTEL_EXPORTER_OTLP_HEADERS: 'a=b,' },
    {
      ...collector,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
    },
  ];
  for (const env of asking) t.ok(load(env).tracing, JSON.stringify(env));
});

t.test('what a whole cluster says of traces is no fault where the gateway shall send none', async (t) => {
  const others: Variables[] = [
    {},
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'h:4317', OTEL_SDK_DISABLED: 'TRUE' },
    { OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' },
    { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' },
    { OTEL_TRACES_EXPORTER: 'console', OTEL_EXPORTER_OTLP_HEADERS: 'nothing' },
  ];
  for (const env of others) t.equal(load(env).tracing, undefined, JSON.stringify(env));
});
