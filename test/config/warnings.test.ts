import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { environment, type Variables } from '../helpers/environment.ts';
import { SECRET } from '../helpers/secrets.ts';

const good = environment('https://chat.example/v3');
const warnings = (env: Variables) => loadConfig({ ...good, ...env }).warnings;

/** Checks that there is one line for each of these, and that none has a value. */
function areWarned(t: Test, cases: readonly [Variables, ...RegExp[]][]): void {
  for (const [env, ...expected] of cases) {
    const found = warnings(env);
    t.match(found, expected, JSON.stringify(env));
    t.equal(found.length, expected.length);
    t.notMatch(found.join(), 'pasted');
  }
}

t.test('secrets and keys in quotes, or with a line break, are warned of', async (t) => {
  const long = `pasted-${'x'.repeat(32)}`;
  areWarned(t, [
    [{ COMETCHAT_API_KEY: '"pasted"' }, /^COMETCHAT_API_KEY: is in quotes/],
    [{ COMETCHAT_API_KEY: "'pasted'" }, /^COMETCHAT_API_KEY: is in quotes/],
    [{ COMETCHAT_API_KEY_SECONDARY: '`pasted`' }, /^COMETCHAT_API_KEY_SECONDARY: is in quotes/],
    [{ SESSION_SECRET: `“${long}”` }, /^SESSION_SECRET: is in quotes/],
    [{ SESSION_SECRET: `${long}, "${long}"` }, /^SESSION_SECRET: is in quotes/],
    [{ SESSION_SECRET: `"${long},${long}2"` }, /^SESSION_SECRET: is in quotes/],
    [{ SESSION_SECRET: `${long}\n${long}` }, /^SESSION_SECRET: has a line break inside/],
    [{ SESSION_COOKIE: "'pasted'" }, /^SESSION_COOKIE: is in quotes/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: '"a=pasted"' }, /^OTEL_EXPORTER_OTLP_HEADERS: is in quotes/],
    [{ SESSION_SECRET: SECRET, COMETCHAT_API_KEY: 'with"quotes\'inside' }],
  ]);
});

t.test('a base URL that does not end with the version is warned of', async (t) => {
  for (const path of ['', '/', '/chat', '/v3/users', '/v2', '/v30', '/v3x']) {
    areWarned(t, [
      [{ COMETCHAT_BASE_URL: `https://chat.example${path}` }, /^COMETCHAT_BASE_URL: does not end with the/],
    ]);
  }
  for (const path of ['/v3', '/v3/', '/v3.0', '/chat/v3//']) {
    areWarned(t, [[{ COMETCHAT_BASE_URL: `https://chat.example${path}` }]]);
  }
  const cloud = { COMETCHAT_APP_ID: 'app', COMETCHAT_REGION: 'eu' };
  areWarned(t, [[{ ...cloud, COMETCHAT_BASE_URL: '' }]]);
});

t.test('variables that another one leaves without use are warned of', async (t) => {
  const opaque = { SESSION_SECRET: '', SESSION_STORE: 'redis', REDIS_URL: 'redis://h' };
  const unused = /^REDIS_SENTINEL_PASSWORD: is not used, since REDIS_URL leads to no sentinel/;
  areWarned(t, [
    [{ COMETCHAT_APP_ID: 'pasted' }, /^COMETCHAT_APP_ID: is not used beside COMETCHAT_BASE_URL/],
    [{ COMETCHAT_REGION: 'eu' }, /^COMETCHAT_REGION: is not used beside COMETCHAT_BASE_URL/],
    [{ ...opaque, SESSION_ISSUER: '' }, /^SESSION_AUDIENCE: is not used beside SESSION_STORE/],
    [{ ...opaque, SESSION_ISSUER: '', SESSION_AUDIENCE: '' }],
    [{ REDIS_SENTINEL_PASSWORD: 'pasted' }, unused],
    [{ REDIS_SENTINEL_PASSWORD: 'pasted', REDIS_URL: 'redis+cluster://h' }, unused],
    [{ REDIS_SENTINEL_PASSWORD: 'pasted', REDIS_URL: 'rediss+sentinel://h/main' }],
  ]);
});

t.test('a proxy that is not used is warned of, and one that is used is known by its address', async (t) => {
  const proxy = 'http://me:pasted@proxy:3128';
  const unset = /^NODE_USE_ENV_PROXY: is not set, so that no call goes through the proxy/;
  areWarned(t, [
    [{ HTTPS_PROXY: proxy }, unset],
    [{ http_proxy: proxy }, unset],
    [{ HTTPS_PROXY: proxy, NODE_USE_ENV_PROXY: 'true' }, /^NODE_USE_ENV_PROXY: is not 1/],
    [{ NODE_USE_ENV_PROXY: ' 1' }, /^NODE_USE_ENV_PROXY: is not 1/],
    [{ NODE_USE_ENV_PROXY: '1' }, /^NODE_USE_ENV_PROXY: is 1, but no HTTPS_PROXY/],
    [{ NODE_USE_ENV_PROXY: '1', https_proxy: '', HTTPS_PROXY: proxy }, /^NODE_USE_ENV_PROXY: is 1, but no/],
    [{ NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxy }],
    [{ NODE_USE_ENV_PROXY: '0', HTTPS_PROXY: proxy }],
    [{ NODE_USE_ENV_PROXY: 'false', HTTPS_PROXY: proxy }],
    [{ NO_PROXY: 'localhost' }],
  ]);
  const proxies = (env: Variables) => loadConfig({ ...good, ...env }).proxies;
  t.strictSame(proxies({ HTTPS_PROXY: proxy }), []);
  const both = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxy, HTTP_PROXY: 'http://proxy:3128/' };
  t.strictSame(proxies(both), ['http://proxy:3128']);
  t.strictSame(proxies({ ...both, http_proxy: 'https://b' }), ['http://proxy:3128', 'https://b']);
});

t.test('a variable of ours that is misspelt is warned of, with the nearest one', async (t) => {
  const slips: Record<string, readonly string[]> = {
    COMETCHAT_API_KEY: [
      ...['COMETCHAT_APIKEY', 'COMET_CHAT_API_KEY', 'COMETCHT_API_KEY', 'COMETCHAT_KEY', 'cometchat_api_key'],
      ...['COMETCHAT-API-KEY', 'COMETCHAT_AUTH_KEY'],
    ],
    COMETCHAT_API_KEY_FILE: ['COMETCHAT_APIKEY_FILE', 'COMETCHAT_API_KEY_FILES'],
    COMETCHAT_APP_ID: ['COMETCHAT_APPID', 'COMETCHAT_AP_ID'],
    COMETCHAT_REGION: ['COMETCHAT_REGOIN', 'COMETCHAT_REGIO'],
    COMETCHAT_BASE_URL: ['COMETCHAT_URL', 'COMETCHAT_BASEURL'],
    COMETCHAT_DEADLINE_MS: ['COMETCHAT_DEADLINE'],
    COMETCHAT_ATTEMPT_TIMEOUT_MS: ['COMETCHAT_TIMEOUT_MS', 'COMETCHAT_TIMEOUT'],
    COMETCHAT_API_KEY_SECONDARY: ['COMETCHAT_SECONDARY_API_KEY'],
    SESSION_SECRET: [
      'SESION_SECRET',
      'SESSION_SECERT',
      'SESSION_SECRETS',
      'SESSION_SECRET_OLD',
      'SESSIONSECRET',
    ],
    SESSION_ISSUER: ['SESSION_ISUER', 'SESSION_ISS'],
    SESSION_AUDIENCE: ['SESSION_AUD', 'SESSION_AUDIENCES'],
    SESSION_JWKS_URL: ['SESSION_JWKS_URI', 'SESSION_JWKS'],
    UID_TEMPLATE: ['UID_TEMPLATES', 'UIDTEMPLATE'],
    ON_BEHALF_OF_TEMPLATE: ['ON_BEHALF_OF', 'ONBEHALFOF_TEMPLATE'],
    REDIS_URL: ['REDIS_URI', 'REDISURL', 'EDIS_URL'],
    RATE_LIMIT_PER_MINUTE: [
      'RATE_LIMIT',
      'RATE_LIMITS',
      'RATELIMIT',
      'RATE_LIMIT_PER_SECOND',
      'RATE_LIMIT_MAX',
    ],
    CORS_ORIGINS: ['CORS_ORIGIN', 'CORS_ALLOWED_ORIGINS'],
    TRUST_PROXY: ['TRUSTED_PROXY', 'TRUSTED_PROXIES', 'TRUST_PROXIES'],
    HSTS_MAX_AGE: ['HSTS_MAXAGE'],
    ADMIN_PORT: ['ADMINPORT', 'ADMIN_PRT'],
    SHUTDOWN_DRAIN_MS: ['SHUTDOWN_DRAIN', 'SHUTDOWN_DRAIN_SECONDS'],
    LOG_LEVEL: ['LOGLEVEL', 'LOG_LEVL'],
  };
  for (const [nearest, names] of Object.entries(slips)) {
    for (const name of names) {
      areWarned(t, [
        [{ [name]: 'pasted' }, new RegExp(`^${name}: is no variable of .*; the nearest is ${nearest}$`)],
      ]);
    }
  }
});

t.test('a file for what is no secret is warned of', async (t) => {
  areWarned(t, [
    [{ COMETCHAT_REGION_FILE: '/pasted' }, /^COMETCHAT_REGION_FILE: is not read, .* set COMETCHAT_REGION$/],
    [{ PORT_FILE: '/pasted' }, /^PORT_FILE: is not read, since only secrets come as files; set PORT$/],
  ]);
});

t.test('nothing is said of what is right, or meant for others', async (t) => {
  const all = Object.keys(EnvironmentSchema.properties).flatMap((name) => [name, `${name}_FILE`]);
  areWarned(t, [[Object.fromEntries(all.map((name) => [name, good[name] ?? '']))]]);
  const others: Variables = {
    // Of Kubernetes, for Services of these names.
    ...Object.fromEntries(
      ['COMETCHAT_GATEWAY', 'REDIS', 'SESSION_STORE'].flatMap((service) => [
        [`${service}_SERVICE_HOST`, '10.0.0.1'],
        [`${service}_SERVICE_PORT`, '80'],
        [`${service}_SERVICE_PORT_HTTP`, '80'],
        [`${service}_PORT`, 'tcp://10.0.0.1:80'],
        [`${service}_PORT_80_TCP`, 'tcp://10.0.0.1:80'],
        [`${service}_PORT_80_TCP_PROTO`, 'tcp'],
        [`${service}_PORT_80_TCP_PORT`, '80'],
        [`${service}_PORT_80_TCP_ADDR`, '10.0.0.1'],
      ]),
    ),
    // Of shells, desktops and Node.js.
    ...{ UID: '1000', HOSTNAME: 'h', LOGNAME: 'me', TERM_SESSION_ID: 'x', SESSION_MANAGER: 'x', host: 'h' },
    ...{
      XDG_SESSION_ID: '1',
      XDG_SESSION_TYPE: 'tty',
      DBUS_SESSION_BUS_ADDRESS: 'x',
      SESSIONNAME: 'Console',
    },
    ...{
      NODE_ENV: 'production',
      NODE_OPTIONS: '--title=x',
      NODE_EXTRA_CA_CERTS: '/x',
      AWS_SESSION_TOKEN: 'x',
    },
    // Of other programs that are told of the same Redis and collector.
    ...{
      REDIS_HOST: 'h',
      REDIS_PORT: '6379',
      REDIS_PASSWORD: 'x',
      REDIS_TLS_URL: 'rediss://h',
      LOG_FORMAT: 'json',
    },
    ...{ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'x', SANDBOX_PORT: '4000' },
    ...{ CORS_ORIGIN: '' },
  };
  areWarned(t, [[others]]);
  t.strictSame(warnings(process.env), []);
});
