import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { serverOptions } from '../../src/app.ts';
import { ProblemError } from '../../src/base/problem-error.ts';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { MAX_BODY_BYTES } from '../../src/http/body.ts';
import { createLog } from '../../src/operations/log.ts';
import { faultsOf } from '../helpers/environment.ts';
import { startGateway } from '../helpers/gateway.ts';
import { API_KEY, SECRET } from '../helpers/secrets.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const manifest = read('deploy/kubernetes.yaml');
const documents = manifest.split(/^---$/m).map((text) => parse(text));
const [deployment, service, autoscaler, budget, policy] = [
  'Deployment',
  'Service',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'NetworkPolicy',
].map((kind) => documents.find((document) => document.kind === kind));
const { metadata, spec: pod } = deployment.spec.template;
const [container] = pod.containers;
const variables: Record<string, string> = Object.fromEntries(
  container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
);

const readme = read('README.md');
type Name = keyof typeof EnvironmentSchema.properties;

const compose = parse(read('docker-compose.yml'), { merge: true });
const gateways = [compose.services['gateway-1'], compose.services['gateway-2']];
const environments = [variables, ...gateways.map(({ environment }) => environment)];
const nginx = read('deploy/nginx.conf');
const directive = (name: string) => new RegExp(`^ *${name} (.*);$`, 'm').exec(nginx)?.[1] ?? '';

/** The environment of a Pod or container, with its secrets in files of this machine. */
function withFiles(t: Test, environment: Record<string, string>): Record<string, string> {
  const files: Record<string, string> = {
    COMETCHAT_API_KEY_FILE: API_KEY,
    COMETCHAT_API_KEY_SECONDARY_FILE: '',
    SESSION_SECRET_FILE: SECRET,
    REDIS_URL_FILE: 'redis://redis.example',
  };
  const folder = t.testdir(files);
  const names = Object.keys(environment).filter((name) => name in files);
  return { ...environment, ...Object.fromEntries(names.map((name) => [name, `${folder}/${name}`])) };
}

t.test('every variable is one that the gateway reads, and on Kubernetes each secret is a file', async (t) => {
  const all = Object.entries(EnvironmentSchema.properties);
  const secrets = all.filter(([, schema]) => schema.secret).map(([name]) => name);
  const read = [...all.map(([name]) => name), ...secrets.map((name) => `${name}_FILE`)];
  for (const environment of environments) {
    const unknown = Object.keys(environment).filter((name) => !read.includes(name));
    t.strictSame(unknown, []);
  }
  t.notOk(secrets.some((name) => name in variables));
});

t.test(
  'the gateway starts with the environment that it is given, and has nothing to say of it',
  async (t) => {
    for (const environment of environments) {
      t.strictSame(faultsOf(withFiles(t, environment)), []);
      t.strictSame(loadConfig(withFiles(t, environment)).warnings, []);
    }
  },
);

t.test('the secrets are files that change with the Secret, and the command makes them', async (t) => {
  const files = Object.entries(variables).filter(([name]) => name.endsWith('_FILE'));
  const [mount, ...others] = container.volumeMounts;
  t.strictSame(others, []);
  t.strictSame([...new Set(files.map(([, path]) => dirname(path)))], [mount.mountPath]);
  t.equal(mount.readOnly, true);
  t.notOk('subPath' in mount || 'subPathExpr' in mount);
  const [{ name, secret }] = pod.volumes;
  t.equal(name, mount.name);
  t.equal(secret.defaultMode, 0o440);
  const read = files.map(([, path]) => basename(path));
  const commands = [manifest, readme].flatMap((text) => [...text.matchAll(/create secret generic .*\n.*/g)]);
  t.equal(commands.length, 3, 'in here, to begin with and to rotate');
  for (const [command] of commands) {
    t.strictSame(
      [...command.matchAll(/--from-file=(\S+)/g)].map(([, name]) => name),
      read,
    );
  }
  const optional = files.filter(
    ([name]) => EnvironmentSchema.properties[name.slice(0, -5) as Name].mayBeEmpty,
  );
  for (const [, path] of optional)
    for (const text of [manifest, readme]) t.match(text, `touch ${basename(path)}\n`);
  t.match(manifest, `create secret generic ${secret.secretName} `);
  t.notOk(documents.some(({ kind }) => kind === 'Secret'));
});

t.test('each probe asks a route of the gateway, on its port', async (t) => {
  const { get } = await startGateway(t);
  const { startupProbe, livenessProbe, readinessProbe } = container;
  t.equal(startupProbe.httpGet.path, '/livez');
  t.equal(livenessProbe.httpGet.path, '/livez');
  t.equal(readinessProbe.httpGet.path, '/readyz');
  for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
    t.equal(httpGet.port, 'http');
    t.equal((await get(httpGet.path)).status, 200);
  }
  const { listen, admin } = loadConfig(withFiles(t, variables));
  t.strictSame(container.ports, [
    { name: 'http', containerPort: listen.port },
    { name: 'admin', containerPort: admin.port },
  ]);
  for (const { healthcheck } of gateways) {
    t.match(healthcheck.test.join(' '), `http://127.0.0.1:${listen.port}/readyz`);
  }
});

t.test('the metrics are open to the monitoring alone', async (t) => {
  t.match(service.spec.ports, [{ targetPort: 'http' }]);
  t.equal(service.spec.ports.length, 1);
  const [open, guarded, ...others] = policy.spec.ingress;
  t.strictSame(others, []);
  t.strictSame(open, { ports: [{ port: 'http' }] });
  t.strictSame(guarded.ports, [{ port: 'admin' }]);
  t.equal(guarded.from.length, 1);
  t.ok(guarded.from[0].namespaceSelector.matchLabels['kubernetes.io/metadata.name']);
});

t.test('a replica that goes has the time for its calls', async (t) => {
  const { shutdown } = loadConfig(withFiles(t, variables));
  t.ok(pod.terminationGracePeriodSeconds * 1000 > shutdown.deadlineMs);
  t.ok(shutdown.drainMs >= 10_000, 'and its Service the time to forget it');
  for (const { environment, stop_grace_period } of gateways) {
    const { deadlineMs } = loadConfig(withFiles(t, environment)).shutdown;
    t.match(stop_grace_period, /^\d+s$/);
    t.ok(Number.parseInt(stop_grace_period, 10) * 1000 > deadlineMs);
  }
});

t.test('what ends by itself is started again', async (t) => {
  for (const name of ['load-balancer', 'gateway-1', 'gateway-2', 'sandbox', 'redis']) {
    t.equal(compose.services[name].restart, 'unless-stopped', name);
  }
});

t.test('nginx closes idle connections before the gateway does, and says the same of bodies', async (t) => {
  const { log } = loadConfig(withFiles(t, variables));
  t.match(directive('keepalive_timeout'), /^\d+s$/);
  const { keepAliveTimeout } = serverOptions(createLog(log, { write() {} }), []);
  t.ok(Number.parseInt(directive('keepalive_timeout'), 10) * 1000 < keepAliveTimeout);
  t.match(directive('client_max_body_size'), /^\d+k$/);
  t.ok(Number.parseInt(directive('client_max_body_size'), 10) * 1024 > MAX_BODY_BYTES);
  t.equal(directive('client_body_buffer_size'), directive('client_max_body_size'));
  const problem = new ProblemError('body-too-large').body('$request_id');
  t.equal(directive('return 413'), `'${JSON.stringify(problem)}'`);
});

t.test('the gateway is not root, and can write nothing', async (t) => {
  t.equal(pod.automountServiceAccountToken, false);
  t.match(pod.securityContext, {
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  t.strictSame(container.securityContext, {
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
});

t.test('all of it is about the same Pods, of which one at least is always there', async (t) => {
  const { labels } = metadata;
  const selectors = [
    deployment.spec.selector.matchLabels,
    service.spec.selector,
    budget.spec.selector.matchLabels,
    policy.spec.podSelector.matchLabels,
    ...pod.topologySpreadConstraints.map((spread: typeof budget.spec) => spread.labelSelector.matchLabels),
  ];
  for (const selector of selectors) t.strictSame(selector, labels);
  const { apiVersion, kind } = deployment;
  t.strictSame(autoscaler.spec.scaleTargetRef, { apiVersion, kind, name: deployment.metadata.name });
  t.ok(autoscaler.spec.minReplicas >= 2);
  t.strictSame(deployment.spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
  t.equal(budget.spec.maxUnavailable, 1);
});
