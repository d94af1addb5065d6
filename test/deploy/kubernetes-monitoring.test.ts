import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { testWith } from '../helpers/installed.ts';
import { build, find, type Manifest, PRODUCTION } from '../helpers/manifests.ts';

const alerts = readFileSync(new URL('../../deploy/prometheus-alerts.yaml', import.meta.url), 'utf8');

testWith(
  'kubectl',
  'the Operator gets the alerts of prometheus-alerts.yaml, with the address of the runbook',
  async (t) => {
    const { metadata, spec } = find(await build(PRODUCTION), 'PrometheusRule');
    const { runbook } = metadata.annotations;
    t.match(runbook, /^https:/);
    t.strictSame(spec, parse(alerts.replaceAll('https://runbooks.example.com/cometchat-gateway', runbook)));
  },
);

testWith(
  'kubectl',
  'each Pod is asked for its metrics, under the name of the job that alerts go by',
  async (t) => {
    const objects = await build(PRODUCTION);
    const { spec } = find(objects, 'PodMonitor');
    const { metadata, spec: pod } = find(objects, 'Deployment').spec.template;
    const jobs = new Set([...alerts.matchAll(/job="([^"]*)"/g)].map(([, job]) => job));
    t.strictSame([...jobs], [metadata.labels[spec.jobLabel]]);
    const ports = pod.containers[0].ports.map(({ name }: Manifest) => name);
    for (const { port } of spec.podMetricsEndpoints) t.ok(ports.includes(port));
    const { from } = find(objects, 'NetworkPolicy', 'cometchat-gateway-metrics').spec.ingress[0];
    t.ok(from, 'and its port is not open to all');
  },
);
