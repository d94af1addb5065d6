import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { SECRETS, unknownIn, variablesOf, withSecretFiles } from '../helpers/deployed.ts';
import { faultsOf } from '../helpers/environment.ts';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { BASE, build, find, type Manifest, PRODUCTION, schemaFaults } from '../helpers/manifests.ts';

/** What the overlay makes: the parts that the tests below look at. */
async function deployed() {
  const objects = await build(PRODUCTION);
  const deployment = find(objects, 'Deployment');
  const { metadata, spec: pod } = deployment.spec.template;
  const [container] = pod.containers;
  return { objects, deployment, labels: metadata.labels, pod, container, variables: variablesOf(container) };
}

function test(name: string, body: (t: Test, made: Awaited<ReturnType<typeof deployed>>) => Promise<unknown>) {
  testWith('kubectl', name, async (t) => body(t, await deployed()));
}

testWith(
  'kubectl',
  'each object is as the schema of its kind has it, without a field too many',
  async (t) => {
    for (const folder of [BASE, PRODUCTION]) {
      const objects = await build(folder);
      t.ok(objects.length >= 8);
      for (const object of objects) t.strictSame(await schemaFaults(object), [], object.kind);
    }
  },
);

t.test('a field that a schema does not have, or of another type, is found', async (t) => {
  const metadata = { name: 'a', labels: { any: 'name' } };
  const service = { apiVersion: 'v1', kind: 'Service', metadata };
  t.strictSame(await schemaFaults({ ...service, spec: { ports: [{ port: 80 }] } }), []);
  t.match(await schemaFaults({ ...service, spec: { ports: [{ port: 80, prot: 'TCP' }] } }), [
    '/spec/ports/0/prot is unknown',
  ]);
  t.match(await schemaFaults({ ...service, spec: { ports: [{ port: 'http' }] } }), [/port must be integer/]);
});

test('every variable is one that the gateway reads, and each secret is a file', async (t, { variables }) => {
  t.strictSame(unknownIn(variables), []);
  t.notOk(SECRETS.some((name) => name in variables));
});

test('the gateway starts with its environment, and has nothing to say of it', async (t, { variables }) => {
  t.strictSame(faultsOf(withSecretFiles(t, variables)), []);
  t.strictSame(loadConfig(withSecretFiles(t, variables)).warnings, []);
});

testWith('kubectl', 'the base starts for nobody: it names no app and no issuer', async (t) => {
  const [container] = find(await build(BASE), 'Deployment').spec.template.spec.containers;
  t.match(faultsOf(withSecretFiles(t, variablesOf(container))), [
    /^COMETCHAT_APP_ID/,
    /^COMETCHAT_REGION/,
    /^SESSION_ISSUER/,
    /^SESSION_AUDIENCE/,
  ]);
});

test('the secrets are files that change with the Secret', async (t, {
  variables,
  pod,
  container,
  objects,
}) => {
  const files = Object.entries(variables).filter(([name]) => name.endsWith('_FILE'));
  const [mount, ...others] = container.volumeMounts;
  t.strictSame(others, []);
  t.strictSame([...new Set(files.map(([, path]) => dirname(path)))], [mount.mountPath]);
  t.equal(mount.readOnly, true);
  t.notOk('subPath' in mount || 'subPathExpr' in mount);
  const [{ name, secret }] = pod.volumes;
  t.equal(name, mount.name);
  t.equal(secret.defaultMode, 0o440);
  t.notOk(objects.some(({ kind }) => kind === 'Secret'));
});

test('each probe asks a route of the gateway, on its port', async (t, { variables, container }) => {
  const { get } = await startGateway(t);
  const { startupProbe, livenessProbe, readinessProbe } = container;
  t.equal(startupProbe.httpGet.path, '/livez');
  t.equal(livenessProbe.httpGet.path, '/livez');
  t.equal(readinessProbe.httpGet.path, '/readyz');
  for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
    t.equal(httpGet.port, 'http');
    t.equal((await get(httpGet.path)).status, 200);
  }
  const { listen, admin } = loadConfig(withSecretFiles(t, variables));
  t.strictSame(container.ports, [
    { containerPort: listen.port, name: 'http' },
    { containerPort: admin.port, name: 'admin' },
  ]);
});

test('a replica that goes has the time for its calls', async (t, { variables, pod }) => {
  const { shutdown } = loadConfig(withSecretFiles(t, variables));
  t.ok(pod.terminationGracePeriodSeconds * 1000 > shutdown.deadlineMs);
  t.ok(shutdown.drainMs >= 10_000, 'and its Service the time to forget it');
});

test('the gateway is not root, and can write nothing', async (t, { pod, container }) => {
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

test('all of it is about the same Pods, of which one at least is always there', async (t, made) => {
  const { objects, deployment, labels, pod } = made;
  const budget = find(objects, 'PodDisruptionBudget');
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  const selectors = [
    deployment.spec.selector.matchLabels,
    find(objects, 'Service').spec.selector,
    budget.spec.selector.matchLabels,
    find(objects, 'PodMonitor').spec.selector.matchLabels,
    ...policies.map(({ spec }) => spec.podSelector.matchLabels),
    ...pod.topologySpreadConstraints.map((spread: Manifest) => spread.labelSelector.matchLabels),
  ];
  for (const selector of selectors) t.strictSame(selector, labels);
  for (const object of objects) t.match(object.metadata.labels, labels, object.kind);
  const { apiVersion, kind } = deployment;
  const { scaleTargetRef, minReplicas } = find(objects, 'HorizontalPodAutoscaler').spec;
  t.strictSame(scaleTargetRef, { apiVersion, kind, name: deployment.metadata.name });
  t.ok(minReplicas >= 2);
  t.strictSame(deployment.spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
  t.equal(budget.spec.maxUnavailable, 1);
});

test('neither a node nor a zone takes all replicas with it', async (t, { pod }) => {
  const keys = pod.topologySpreadConstraints.map(({ topologyKey }: Manifest) => topologyKey);
  t.strictSame(keys, ['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
});
