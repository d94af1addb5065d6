import t from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { API_KEY, environment, faultsOf, SECRET } from '../helper.ts';

const good = environment('https://chat.example/v3/');

/** The faults of a good environment with these variables set, or unset by `undefined`. */
const faults = (overrides: Record<string, string | undefined>) => faultsOf({ ...good, ...overrides });

t.test('defaults are filled in, and an empty value counts as unset', async (t) => {
  const empty = Object.fromEntries(Object.keys(EnvironmentSchema.properties).map((name) => [name, '']));
  const config = loadConfig({ ...empty, ...good, HOST: '', PORT: '' });
  t.match(config, {
    listen: { host: '0.0.0.0', port: 3000 },
    log: { level: 'info' },
    session: { secrets: { current: [SECRET] } },
    rateLimit: { perMinute: 60 },
    identity: { lowercase: false, uid: { prefix: '', parts: [{ claim: 'sub', suffix: '' }] } },
    cometchat: { baseUrl: 'https://chat.example/v3', deadlineMs: 3000, attemptTimeoutMs: 1500 },
  });
  t.equal(config.identity.onBehalfOf, config.identity.uid);
});

t.test('app id and region give the base URL of CometChat’s cloud', async (t) => {
  const cloud = { COMETCHAT_BASE_URL: undefined, COMETCHAT_APP_ID: '26f0A1', COMETCHAT_REGION: 'eu' };
  t.equal(loadConfig({ ...good, ...cloud }).cometchat.baseUrl, 'https://26f0A1.api-eu.cometchat.io/v3');
});

t.test('each variable that is needed is named when it is missing', async (t) => {
  for (const name of ['COMETCHAT_API_KEY', 'SESSION_SECRET', 'SESSION_ISSUER', 'SESSION_AUDIENCE']) {
    const found = faults({ [name]: undefined });
    t.match(found, [new RegExp(`^${name}: is missing; `)]);
    t.equal(found.length, 1);
  }
  t.strictSame(faults({ COMETCHAT_BASE_URL: undefined }), [
    'COMETCHAT_APP_ID: is missing; set it, or COMETCHAT_BASE_URL instead',
    'COMETCHAT_REGION: is missing; set it, or COMETCHAT_BASE_URL instead',
  ]);
});

t.test('each variable that is wrong is named with what would be right', async (t) => {
  const wrong: [string, string, RegExp][] = [
    ['COMETCHAT_APP_ID', 'a.b', /must be the app id/],
    ['COMETCHAT_REGION', 'mars', /must be one of us, eu, in/],
    ['COMETCHAT_BASE_URL', 'chat.example/v3', /must be the whole base URL/],
    ['COMETCHAT_BASE_URL', 'ftp://chat.example', /must be the whole base URL/],
    ['COMETCHAT_BASE_URL', 'http://chat.example/v3', /must begin with https/],
    ['COMETCHAT_BASE_URL', 'https://me:pw@chat.example', /no user, password, query or fragment/],
    ['COMETCHAT_BASE_URL', 'https://chat.example/v3?a=1', /no user, password, query or fragment/],
    ['COMETCHAT_BASE_URL', 'https://chat.example/v3#a', /no user, password, query or fragment/],
    ['COMETCHAT_API_KEY', 'two words', /must be the REST API key/],
    ['COMETCHAT_API_KEY_SECONDARY', 'two words', /must be another REST API key/],
    ['COMETCHAT_API_KEY_SECONDARY', API_KEY, /must be another key than COMETCHAT_API_KEY/],
    ['COMETCHAT_MAX_CONCURRENCY', '0', /whole number from 1 to 10000/],
    ['COMETCHAT_CALLS_PER_MINUTE', '0', /whole number from 1 to 10000000/],
    ['COMETCHAT_DEADLINE_MS', '0', /whole number from 100 to 60000/],
    ['COMETCHAT_DEADLINE_MS', '3s', /whole number/],
    ['COMETCHAT_ATTEMPT_TIMEOUT_MS', '1e3', /whole number/],
    ['SESSION_SECRET', 'short', /32 bytes or more; secret number 1/],
    ['SESSION_SECRET', `${SECRET},short`, /32 bytes or more; secret number 2/],
    ['UID_TEMPLATE', 'nobody', /every session would be the same user/],
    ['UID_TEMPLATE', 'x_{iss}', /every session would be the same user/],
    ['UID_TEMPLATE', '{sub', /a claim stands in braces/],
    ['ON_BEHALF_OF_TEMPLATE', '{a}{b}', /between two claims there must be text/],
    ['ON_BEHALF_OF_TEMPLATE', 'U:{sub}', /may only hold a-z/],
    ['UID_LOWERCASE', 'yes', /must be one of true, false/],
    ['PORT', '65536', /whole number from 0 to 65535/],
    ['ADMIN_PORT', 'x', /whole number from 0 to 65535/],
    ['LOG_LEVEL', 'loud', /must be one of fatal, error, warn/],
    ['RATE_LIMIT_PER_MINUTE', '0', /whole number from 1 to 1000000/],
    ['HSTS_MAX_AGE', 'true', /whole number from 0 to/],
    ['SESSION_COOKIE', 'two words', /must be the name of a cookie/],
    ['SESSION_COOKIE', 'a=b', /must be the name of a cookie/],
    ...[
      '*',
      'https://*.app.example',
      'null',
      'https://app.example,*',
      'https://app.example/',
      'http://localhost/',
      'capacitor://localhost/x',
      'app.example',
    ].map((origins): [string, string, RegExp] => ['CORS_ORIGINS', origins, /must hold exact origins/]),
    ...['https://App.example', 'https://app.example:443', 'http://app.example', 'file://', 'a,b'].map(
      (origins): [string, string, RegExp] => ['CORS_ORIGINS', origins, /must hold exact origins/],
    ),
    ...[
      'true',
      '1',
      '10.0.0.1',
      '0.0.0.0/0',
      '10.0.0.0/7',
      'fc00::/6',
      '10.0.0.0/0x10',
      '::/0',
      '0.0.0.0/1',
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '::ffff:0:0/96',
      '0:0::ffff:0.0.0.0/97',
      'fe80::1%eth0/64',
      'loopback',
    ].map((networks): [string, string, RegExp] => [
      'TRUST_PROXY',
      networks,
      /must hold the load balancers’ networks/,
    ]),
    ...[
      'redis',
      'http://redis',
      'redis://',
      'redis://h/zero',
      'redis://h?a=1',
      'redis://h#a',
      'redis://:a%b@h',
      'redis://a%:41@h',
    ].map((url): [string, string, RegExp] => ['REDIS_URL', url, /must /]),
  ];
  for (const [name, value, message] of wrong) {
    const [fault = '', ...others] = faults({ [name]: value });
    t.ok(fault.startsWith(`${name}: `), `${name}=${value}`);
    t.match(fault, message);
    t.strictSame(others, []);
  }
});

t.test('there is one kind of session, with all that it needs', async (t) => {
  const url = 'https://login.example/jwks.json';
  const none = { SESSION_SECRET: undefined, SESSION_ISSUER: undefined, SESSION_AUDIENCE: undefined };
  const rules = { SESSION_ISSUER: 'https://login.example', SESSION_AUDIENCE: 'cometchat-gateway' };
  const session = (env: Record<string, string | undefined>) => loadConfig({ ...good, ...env }).session;
  t.strictSame(session({ ...none, ...rules, SESSION_JWKS_URL: url }), {
    kind: 'jwks',
    url,
    issuer: 'https://login.example',
    audience: 'cometchat-gateway',
  });
  t.strictSame(session({ ...none, SESSION_STORE: 'redis', REDIS_URL: 'redis://h' }), { kind: 'redis' });
  t.match(faults({ ...none, ...rules }), [
    /^SESSION_SECRET: is missing; set it, or SESSION_JWKS_URL or SESSION_STORE/,
  ]);
  t.match(faults({ SESSION_JWKS_URL: url, SESSION_STORE: 'redis', REDIS_URL: 'redis://h' }), [
    /^SESSION_JWKS_URL: must not be set beside SESSION_SECRET/,
    /^SESSION_STORE: must not be set beside SESSION_SECRET/,
  ]);
  t.match(faults({ ...none, SESSION_JWKS_URL: url }), [
    /^SESSION_ISSUER: is missing/,
    /^SESSION_AUDIENCE: is missing/,
  ]);
  t.match(faults({ ...none, SESSION_STORE: 'redis' }), [
    /^REDIS_URL: is missing; SESSION_STORE=redis needs it/,
  ]);
  t.match(faults({ ...none, SESSION_STORE: 'memory' }).join(), /SESSION_STORE: must be one of redis/);
});

t.test('keys come over https, or from this machine', async (t) => {
  const jwks = (url: string) => faults({ SESSION_SECRET: undefined, SESSION_JWKS_URL: url });
  for (const url of [
    'https://login.example/keys?v=1',
    'http://127.0.0.1:8080/',
    'http://[::1]/',
    'http://localhost/',
  ]) {
    t.strictSame(jwks(url), [], url);
  }
  for (const [url, message] of [
    ['login.example', /must be a whole URL/],
    ['file:///keys', /must be a whole URL/],
    ['https://me@login.example/', /must have no user/],
    ['https://:pw@login.example/', /must have no user/],
    ['http://notlocalhost/', /must begin with https/],
    ['https://login.example/#keys', /must have no user/],
    ['http://login.example/', /must begin with https/],
    ['http://login/', /must begin with https/],
    ['http://127.0.0.1.evil.example/', /must begin with https/],
    ['http://localhost.evil.example/', /must begin with https/],
  ] as const) {
    t.match(jwks(url), [message], url);
  }
});

t.test('pages and load balancers are listed exactly', async (t) => {
  const { browsers, trustedProxies } = loadConfig({
    ...good,
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

t.test('the metrics have a port of their own', async (t) => {
  t.match(faults({ PORT: '9090', ADMIN_PORT: undefined }), [/^ADMIN_PORT: must not be PORT/]);
});

t.test('all faults come at once, and none of them repeats a value', async (t) => {
  const bad = { PORT: 'pasted-secret', LOG_LEVEL: 'pasted-secret', SESSION_SECRET: 'pasted-secret' };
  const found = faults({ ...bad, COMETCHAT_BASE_URL: 'http://pasted-secret.example', COMETCHAT_API_KEY: '' });
  t.equal(found.length, 5);
  t.notMatch(found.join(), /pasted-secret/);
});

t.test('plain http is for loopback and for names of a container network', async (t) => {
  for (const host of ['127.0.0.1:4000', '[::1]:4000', 'localhost:4000', 'sandbox:4000']) {
    t.strictSame(faults({ COMETCHAT_BASE_URL: `http://${host}/v3` }), [], host);
  }
});

t.test('a secret is measured in bytes', async (t) => {
  t.strictSame(faults({ SESSION_SECRET: 'é'.repeat(16) }), []);
  t.equal(faults({ SESSION_SECRET: 'é'.repeat(15) }).length, 1);
});

t.test('the log knows every secret that it must not write', async (t) => {
  const env = {
    SESSION_SECRET: `${SECRET},${'o'.repeat(32)}`,
    REDIS_URL: 'redis://me:p%40ssword@h',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc,x-key=k',
  };
  const { secrets } = loadConfig({ ...good, ...env }).log;
  t.strictSame(secrets.current, [
    API_KEY,
    SECRET,
    'o'.repeat(32),
    ...['p%40ssword', 'p@ssword'],
    ...['Basic%20abc', 'Basic abc', 'k', 'k'],
  ]);
  t.strictSame(loadConfig({ ...good, REDIS_URL: 'redis://h' }).log.secrets.current, [API_KEY, SECRET]);
});

t.test('several session secrets are taken, newest first', async (t) => {
  const older = 'o'.repeat(32);
  t.match(loadConfig({ ...good, SESSION_SECRET: `${SECRET}, ${older}` }).session, {
    kind: 'secret',
    secrets: { current: [SECRET, older] },
  });
});
