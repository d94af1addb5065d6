import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { serverOptions } from '../../src/app.ts';
import { ProblemError } from '../../src/base/problem-error.ts';
import { loadConfig } from '../../src/config/config.ts';
import { MAX_BODY_BYTES } from '../../src/http/body.ts';
import { createLog } from '../../src/operations/log.ts';
import { unknownIn, withSecretFiles } from '../helpers/deployed.ts';
import { faultsOf } from '../helpers/environment.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { services } = parse(read('docker-compose.yml'), { merge: true });
const gateways = [services['gateway-1'], services['gateway-2']];
const nginx = read('deploy/nginx.conf');
const directive = (name: string) => new RegExp(`^ *${name} (.*);$`, 'm').exec(nginx)?.[1] ?? '';

t.test(
  'the gateways start with the environment that they are given, and have nothing to say of it',
  async (t) => {
    for (const { environment } of gateways) {
      t.strictSame(unknownIn(environment), []);
      t.strictSame(faultsOf(withSecretFiles(t, environment)), []);
      t.strictSame(loadConfig(withSecretFiles(t, environment)).warnings, []);
    }
  },
);

t.test('each is asked whether it is ready', async (t) => {
  for (const { healthcheck } of gateways) {
    t.strictSame(healthcheck.test, ['CMD', 'node', 'scripts/health-check.ts', '/readyz']);
  }
});

t.test('one that goes has the time for its calls', async (t) => {
  for (const { environment, stop_grace_period } of gateways) {
    const { deadlineMs } = loadConfig(withSecretFiles(t, environment)).shutdown;
    t.match(stop_grace_period, /^\d+s$/);
    t.ok(Number.parseInt(stop_grace_period, 10) * 1000 > deadlineMs);
  }
});

t.test('what ends by itself is started again', async (t) => {
  for (const name of ['load-balancer', 'gateway-1', 'gateway-2', 'sandbox', 'redis']) {
    t.equal(services[name].restart, 'unless-stopped', name);
  }
});

t.test('nginx closes idle connections before the gateway does, and says the same of bodies', async (t) => {
  const { log } = loadConfig(withSecretFiles(t, gateways[0].environment));
  t.match(directive('keepalive_timeout'), /^\d+s$/);
  const { keepAliveTimeout } = serverOptions(createLog(log, { write() {} }), []);
  t.ok(Number.parseInt(directive('keepalive_timeout'), 10) * 1000 < keepAliveTimeout);
  t.match(directive('client_max_body_size'), /^\d+k$/);
  t.ok(Number.parseInt(directive('client_max_body_size'), 10) * 1024 > MAX_BODY_BYTES);
  t.equal(directive('client_body_buffer_size'), directive('client_max_body_size'));
  const problem = new ProblemError('body-too-large').body('$request_id');
  t.equal(directive('return 413'), `'${JSON.stringify(problem)}'`);
});
