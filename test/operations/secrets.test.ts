import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import { serverOptions } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { reloadConfig, secretFiles } from '../../src/config/reload.ts';
import { createLog } from '../../src/operations/log.ts';
import { PrometheusMetrics } from '../../src/operations/prometheus.ts';
import { rotateSecrets } from '../../src/operations/secrets.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { environment } from '../helpers/environment.ts';
import { API_KEY, SECRET } from '../helpers/secrets.ts';
import { sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';
import { underLoad } from './under-load.ts';

const OLD = {
  COMETCHAT_API_KEY: 'the-old-key',
  COMETCHAT_API_KEY_SECONDARY: '',
  SESSION_SECRET: 'o'.repeat(32),
  REDIS_URL: 'rediss://:old-password@h',
};
type Secrets = Partial<typeof OLD>;

/** What rotates the secrets of these files, without a gateway; some can be replaced before they are watched. */
async function rotating(t: Test, { early = {} }: { early?: Secrets } = {}) {
  const folder = t.testdir(OLD);
  const files = Object.keys(OLD).flatMap((name) => [
    [name, ''],
    [`${name}_FILE`, join(folder, name)],
  ]);
  const env = { ...environment('https://chat.example/v3'), ...Object.fromEntries(files) };
  const config = loadConfig(env);
  const write = (secrets: Secrets) => {
    for (const [name, secret] of Object.entries(secrets)) {
      writeFileSync(join(folder, 'new'), secret);
      renameSync(join(folder, 'new'), join(folder, name));
    }
  };
  write(early);
  const lines: string[] = [];
  const log = createLog(config.log, { write: (line) => lines.push(line) });
  const app = fastify(serverOptions(log, []));
  rotateSecrets(app, {
    metrics: new PrometheusMetrics(),
    current: config,
    files: secretFiles(env),
    reload: () => reloadConfig(config, env),
  });
  await app.ready();
  t.teardown(() => app.close());
  return {
    config,
    lines,
    log,
    write,
    /** Has all files read again. */
    signal: () => process.emit('SIGHUP', 'SIGHUP'),
    /** Waits until a line has been logged. */
    async says(pattern: RegExp) {
      await until(`${pattern}`, () => pattern.test(lines.join()));
      return lines.splice(0).join();
    },
  };
}

t.test('neither the new secrets nor the old ones stand in a line after a rotation', async (t) => {
  const { write, signal, says, log, lines } = await rotating(t);
  write({ COMETCHAT_API_KEY: 'the-new-key', REDIS_URL: 'rediss://:new-password@h' });
  signal();
  t.match(await says(/have been replaced/), '"changed":["COMETCHAT_API_KEY","REDIS_URL"]');
  log.info('the-old-key the-new-key old-password new-password');
  t.match(lines.splice(0), [/"msg":"\[redacted\] \[redacted\] \[redacted\] \[redacted\]"/]);
});

t.test('each variable that changed is named, and a list that only looks otherwise is none', async (t) => {
  const { config, write, signal, says } = await rotating(t);
  const changed = async (secrets: Secrets) => {
    write(secrets);
    signal();
    return JSON.parse((await says(/the secrets have been replaced|they are as before/)).trim()).changed;
  };
  const secret = OLD.SESSION_SECRET;
  t.strictSame(await changed({ COMETCHAT_API_KEY_SECONDARY: 'the-old-key' }), [
    'COMETCHAT_API_KEY_SECONDARY',
  ]);
  t.strictSame(await changed({ COMETCHAT_API_KEY: 'the-new-key' }), ['COMETCHAT_API_KEY']);
  t.strictSame(config.cometchat.apiKeys.current, ['the-new-key', 'the-old-key']);
  t.strictSame(await changed({ SESSION_SECRET: `${'n'.repeat(32)},${secret}` }), ['SESSION_SECRET']);
  t.strictSame(await changed({ SESSION_SECRET: `${'n'.repeat(32)} , ${secret},,${secret}` }), undefined);
  t.strictSame(await changed({ COMETCHAT_API_KEY: 'the-third-key', COMETCHAT_API_KEY_SECONDARY: '' }), [
    'COMETCHAT_API_KEY',
    'COMETCHAT_API_KEY_SECONDARY',
  ]);
  t.strictSame(config.cometchat.apiKeys.current, ['the-third-key']);
});

t.test('a secret that is replaced by one in quotes is warned of, once', async (t) => {
  const { write, signal, says, lines } = await rotating(t);
  write({ COMETCHAT_API_KEY: '"the-new-key"' });
  signal();
  t.match(await says(/as it was meant/), /"level":"warn".*"warning":"COMETCHAT_API_KEY: is in quotes/);
  write({ COMETCHAT_API_KEY: '"the-third-key"' });
  signal();
  t.match(lines.splice(0), [/have been replaced/]);
});

t.test('no rotation leads to another Redis, nor to one without TLS', async (t) => {
  const { config, write, signal, says } = await rotating(t);
  for (const REDIS_URL of [
    'redis://:new-password@h',
    'rediss://:new-password@other',
    'rediss://h/1',
    'rediss://h:1',
  ]) {
    write({ REDIS_URL });
    signal();
    t.match(await says(/cannot be read again/), /REDIS_URL: only its user and password/);
  }
  t.strictSame(config.redis?.target.current, parseRedisUrl(OLD.REDIS_URL));
  write({ REDIS_URL: 'rediss://:new-password@h:6379/0' });
  signal();
  t.match(await says(/have been replaced/), '"changed":["REDIS_URL"]');
  t.strictSame(config.redis?.target.current, parseRedisUrl('rediss://:new-password@h:6379/0'));
});

// These wait for the next look at a file.
t.jobs = 2;
const parallel = { buffered: true };

t.test('each file is watched, also between the start and the first look at it', parallel, async (t) => {
  const { config, write, says } = await rotating(t, { early: { SESSION_SECRET: 'n'.repeat(32) } });
  t.match(await says(/have been replaced/), '"changed":["SESSION_SECRET"]');
  t.match(config.session, { secrets: { current: ['n'.repeat(32)] } });
  write({ REDIS_URL: 'rediss://:new-password@h' });
  t.match(await says(/have been replaced/), '"changed":["REDIS_URL"]');
});

t.test('under load secrets are replaced, and no call fails', parallel, async (t) => {
  const made = (what: string) => `${what}-${randomBytes(20).toString('hex')}`;
  const [newSecret, newKey] = [made('secret'), made('key')];
  const gateway = await underLoad(t, { COMETCHAT_API_KEY: API_KEY, SESSION_SECRET: SECRET });
  const { child, sandbox, load, call, write, signal, goesOn, metric, end } = gateway;
  const known = await sign();
  const isKnown = async () => (await call({ tags: [] }, known)).status;
  sandbox.acceptKeys(API_KEY, newKey);
  await goesOn(t);

  write({ COMETCHAT_API_KEY: newKey, SESSION_SECRET: `${newSecret},${SECRET}` });
  await child.says(/"the secrets have been replaced"/);
  await goesOn(t);
  t.equal(sandbox.calls.at(-1)?.headers.apikey, newKey, 'the new key is used');
  sandbox.acceptKeys(newKey);
  load.secret = newSecret;
  await goesOn(t);
  for (const _ of [1, 2]) t.equal(await isKnown(), 200, 'the old secret is still good');

  t.equal(await metric('secrets_stale'), 0);
  const unfit = { COMETCHAT_API_KEY: 'two words', SESSION_SECRET: 'too-short' };
  t.match(await signal(/the secrets cannot be read again/, unfit), {
    level: 'error',
    faults: [/^COMETCHAT_API_KEY: must /, /^SESSION_SECRET: must have 32 bytes or more/],
  });
  t.equal(await metric('secrets_stale'), 1, 'files that are not fit raise the alarm');
  t.ok(await metric('secret_reloads failed'));
  await goesOn(t);
  t.equal(await isKnown(), 200, 'and replace nothing');

  const fit = { COMETCHAT_API_KEY: newKey, SESSION_SECRET: newSecret };
  t.match(await signal(/the secrets have been replaced/, fit), { changed: ['SESSION_SECRET'] });
  t.equal(await metric('secrets_stale'), 0);
  await goesOn(t);
  t.equal((await call()).status, 401, 'the old secret is good for nothing any more');
  t.equal(await isKnown(), 401, 'nor is a token that has been let in before');

  await signal(/the secrets were read again: they are as before/);
  await goesOn(t);
  t.equal(await end(), 0);
});
