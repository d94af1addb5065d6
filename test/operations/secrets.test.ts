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
import { environment } from '../helper.ts';

const OLD = {
  COMETCHAT_API_KEY: 'the-old-key',
  SESSION_SECRET: 'o'.repeat(32),
  REDIS_URL: 'rediss://:old-password@h',
};

/** What rotates the secrets of these files, without a gateway; `write` replaces one, and `early` does before they are watched. */
async function rotating(t: Test, early: readonly [keyof typeof OLD, string][] = []) {
  const folder = t.testdir(OLD);
  const names = Object.keys(OLD);
  const files = names.flatMap((name) => [
    [name, ''],
    [`${name}_FILE`, join(folder, name)],
  ]);
  const env = { ...environment('https://chat.example'), ...Object.fromEntries(files) };
  const config = loadConfig(env);
  const write = (name: keyof typeof OLD, secret: string) => {
    writeFileSync(join(folder, 'new'), secret);
    renameSync(join(folder, 'new'), join(folder, name));
  };
  for (const change of early) write(...change);
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
      while (!pattern.test(lines.join())) await new Promise((resolve) => setTimeout(resolve, 5));
      return lines.splice(0).join();
    },
  };
}

t.test('neither the new secrets nor the old ones stand in a line after a rotation', async (t) => {
  const { write, signal, says, log, lines } = await rotating(t);
  write('COMETCHAT_API_KEY', 'the-new-key');
  write('REDIS_URL', 'rediss://:new-password@h');
  signal();
  t.match(await says(/have been replaced/), '"changed":["COMETCHAT_API_KEY","REDIS_URL"]');
  log.info('the-old-key the-new-key old-password new-password');
  t.match(lines.splice(0), [/"msg":"\[redacted\] \[redacted\] \[redacted\] \[redacted\]"/]);
});

t.test('a file that is replaced between the start and the first look at it is not overlooked', async (t) => {
  const { config, says } = await rotating(t, [['SESSION_SECRET', 'n'.repeat(32)]]);
  t.match(await says(/have been replaced/), '"changed":["SESSION_SECRET"]');
  t.strictSame(config.rotating.SESSION_SECRET?.current, ['n'.repeat(32)]);
});

t.test('each file is looked at, not the first alone', async (t) => {
  const { config, write, says } = await rotating(t);
  write('SESSION_SECRET', 'n'.repeat(32));
  t.match(await says(/have been replaced/), '"changed":["SESSION_SECRET"]');
  t.strictSame(config.rotating.SESSION_SECRET?.current, ['n'.repeat(32)]);
  write('REDIS_URL', 'rediss://:new-password@h:6379/0');
  t.match(await says(/have been replaced/), '"changed":["REDIS_URL"]');
});

t.test('no rotation leads to another Redis, nor to one without TLS', async (t) => {
  const { config, write, signal, says } = await rotating(t);
  for (const url of [
    'redis://:new-password@h',
    'rediss://:new-password@other',
    'rediss://h/1',
    'rediss://h:1',
  ]) {
    write('REDIS_URL', url);
    signal();
    t.match(await says(/cannot be read again/), /REDIS_URL: only its user and password/);
  }
  t.equal(config.redisUrl?.current, OLD.REDIS_URL);
});
