import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort, listens } from './ports.ts';
import { until } from './until.ts';

const CONF = new URL('../../deploy/nginx.conf', import.meta.url);

/**
 * Starts a real nginx with the configuration of docker-compose.yml, for the length of a test.
 *
 * @param ports of the two gateways, on this machine
 * @returns its origin
 */
export async function startNginx(t: Test, [one, other]: readonly [number, number]): Promise<string> {
  const port = await freePort();
  const folder = t.testdir({});
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const conf = readFileSync(CONF, 'utf8')
    .replace('gateway-1:3000', `127.0.0.1:${one}`)
    .replace('gateway-2:3000', `127.0.0.1:${other}`)
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replace('http {', `http {\n${places.join('\n')}`);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, conf);
  const main = `daemon off; pid ${join(folder, 'pid')}; error_log ${join(folder, 'error.log')};`;
  const nginx = spawn('nginx', ['-p', folder, '-c', file, '-g', main], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(nginx, 'exit');
  t.teardown(() => {
    nginx.kill();
    return ended;
  });
  await until('nginx', () => listens(port));
  return `http://127.0.0.1:${port}`;
}
