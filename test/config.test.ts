import t from 'tap';
import { EnvironmentSchema, loadConfig } from '../src/config.ts';
import { API_KEY, environment, faultsOf, SECRET } from './helper.ts';

const good = environment('https://chat.example/v3/');

/** The faults of a good environment with these variables set, or unset by `undefined`. */
const faults = (overrides: Record<string, string | undefined>) => faultsOf({ ...good, ...overrides });

t.test('defaults are filled in, and an empty value counts as unset', async (t) => {
  const empty = Object.fromEntries(Object.keys(EnvironmentSchema.properties).map((name) => [name, '']));
  const config = loadConfig({ ...empty, ...good, HOST: '', PORT: '' });
  t.match(config, {
    listen: { host: '0.0.0.0', port: 3000 },
    log: { level: 'info' },
    session: { secrets: [SECRET] },
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
    t.match(faults({ [name]: undefined }), [new RegExp(`^${name}: is missing; it must be `)]);
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
    ['LOG_LEVEL', 'loud', /must be one of fatal, error, warn/],
  ];
  for (const [name, value, message] of wrong) {
    const [fault = '', ...others] = faults({ [name]: value });
    t.ok(fault.startsWith(`${name}: `), `${name}=${value}`);
    t.match(fault, message);
    t.strictSame(others, []);
  }
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
  const { secrets } = loadConfig({ ...good, SESSION_SECRET: `${SECRET},${'o'.repeat(32)}` }).log;
  t.strictSame(secrets, [API_KEY, SECRET, 'o'.repeat(32)]);
});

t.test('several session secrets are taken, newest first', async (t) => {
  const older = 'o'.repeat(32);
  t.match(loadConfig({ ...good, SESSION_SECRET: `${SECRET}, ${older}` }).session, {
    kind: 'secret',
    secrets: [SECRET, older],
  });
});
