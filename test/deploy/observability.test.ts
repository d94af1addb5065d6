import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { collectDefaultMetrics } from 'prom-client';
import t, { type Test } from 'tap';
import { PROBLEMS } from '../../src/base/problems.ts';
import { rotateSecrets } from '../../src/operations/secrets.ts';
import { Stdout } from '../../src/operations/stdout.ts';
import { REASONS } from '../../src/session/reasons.ts';
import { fakeRedis } from '../helpers/fake-redis.ts';
import { startGateway } from '../helpers/gateway.ts';
import { issuer } from '../helpers/issuer.ts';
import { samplesOf } from '../helpers/metrics.ts';

const read = (name: string) => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');

const alerts = read('prometheus-alerts.yaml').split('- alert: ').slice(1);
const { panels } = JSON.parse(read('grafana-dashboard.json')) as {
  panels: { type: string; title: string; description?: string; targets?: { expr: string }[] }[];
};

/** What a query asks for. */
interface Query {
  readonly expr: string;
  readonly metrics: readonly string[];
  /** The labels that it sums or joins by. */
  readonly labels: readonly string[];
  /** The labels that it compares with one or several values. */
  readonly matchers: readonly { metric: string; label: string; values: string[] }[];
}

/** Prometheus' own: labels that every series has, and words that are no metric of ours. */
const OWN_LABELS = ['job', 'instance', 'le'];
const OWN_WORDS = ['and', 'or', 'unless', 'bool', 'up'];

function parse(expr: string): Query {
  const groupings = /\b(?:by|on) \(([^)]*)\)/g;
  const bare = expr.replace(groupings, '').replace(/\{[^}]*\}|\[[^\]]*\]/g, '');
  // A word before a bracket is a function's.
  const words = bare.match(/\b[a-z]\w*\b(?! *\()/g) ?? [];
  const named = [...expr.matchAll(groupings)].flatMap(([, list = '']) => list.split(', '));
  const compared = [...expr.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, metric = '', list = '']) =>
    [...list.matchAll(/(\w+) *[!=]=?~? *"([^"]*)"/g)].map(([, label = '', value = '']) => ({
      metric,
      label,
      values: value.split('|'),
    })),
  );
  return {
    expr,
    metrics: words.filter((word) => !OWN_WORDS.includes(word)),
    labels: named.filter((label) => !OWN_LABELS.includes(label)),
    matchers: compared.filter(({ label }) => label === 'le' || !OWN_LABELS.includes(label)),
  };
}

const exprOf = (alert: string) => /expr: (?:\|\n)?(.*?)\n +for: /s.exec(alert)?.[1] ?? '';
const ofAlerts = alerts.map(exprOf).map(parse);
const ofPanels = panels.flatMap(({ targets = [] }) => targets).map(({ expr }) => parse(expr));
const ofRunbook = [...read('../docs/runbook.md').matchAll(/```promql\n(.*)\n```/g)].map(([, expr = '']) =>
  parse(expr),
);
const queries = [...ofAlerts, ...ofPanels, ...ofRunbook];

/** What a gateway that has all its parts, and has answered at each address, has counted: the values of each label of each metric. */
async function counted(t: Test): Promise<Map<string, Map<string, Set<string>>>> {
  const provider = await issuer(t, 'ES256');
  const secrets = {
    variables: { current: {} },
    rotating: {},
    log: { secrets: { current: [] } },
    warnings: [],
  };
  const { app, put, list, get } = await startGateway(
    t,
    { ...provider.env, REDIS_URL: await fakeRedis(t, { exists: '-ERR', get: '$-1' }) },
    {
      extend: (app) =>
        rotateSecrets(app, {
          metrics: app.metrics,
          current: secrets,
          files: [],
          reload: () => secrets,
        }),
    },
  );
  collectDefaultMetrics({ register: app.metrics.registry });
  new Stdout(new PassThrough()).follow(app.log, app.metrics);
  const authorization = `Bearer ${await provider.key.sign()}`;
  const body = { tags: ['vip'], conversationWith: 'cometchat-uid-3' };
  t.equal((await put(body, { authorization })).status, 200);
  t.equal((await list({}, { authorization })).status, 200);
  // One whose session Redis cannot be asked about; and whether the replica is ready.
  await put({ tags: [] }, { authorization: `Bearer ${await provider.key.sign({ jti: 'a' })}` });
  await get('/readyz');
  const metrics = new Map<string, Map<string, Set<string>>>();
  for (const { name, labels } of await samplesOf(app.metrics)) {
    const known = metrics.get(name) ?? new Map<string, Set<string>>();
    metrics.set(name, known);
    for (const [label, value] of Object.entries(labels)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
  return metrics;
}

t.test('alerts, dashboard and runbook ask for nothing that the gateway does not count', async (t) => {
  const known = await counted(t);
  for (const { expr, metrics, labels, matchers } of queries) {
    t.ok(metrics.length > 0 || expr.includes('up{'), `a query: ${expr}`);
    for (const metric of metrics) t.ok(known.has(metric), metric);
    const there = new Set(metrics.flatMap((metric) => [...(known.get(metric)?.keys() ?? [])]));
    for (const label of labels) t.ok(there.has(label), `by ${label}`);
    for (const { metric, label, values } of matchers) {
      const all = known.get(metric)?.get(label);
      t.ok(all, `${metric}{${label}}`);
      for (const value of values) t.ok(value === '' || all?.has(value), `${label}="${value}"`);
    }
  }
});

t.test('each code is a problem’s, each reason one to refuse a session', async (t) => {
  const known: Record<string, readonly string[]> = { code: Object.keys(PROBLEMS), reason: REASONS };
  for (const { label, values } of queries.flatMap(({ matchers }) => matchers)) {
    for (const value of values) t.ok(known[label]?.includes(value) ?? true, `${label}="${value}"`);
  }
});

t.test('whatever is the gateway’s own to count is on the dashboard, and in the README', async (t) => {
  const shown = new Set(ofPanels.flatMap(({ metrics }) => metrics));
  const readme = read('../README.md');
  const own = [...(await counted(t)).keys()].filter((name) => name.startsWith('cometchat_gateway_'));
  for (const name of own) {
    t.ok(shown.has(name), name);
    t.match(readme, `\`${name.replace('cometchat_gateway_', '')}\``);
  }
});

t.test('each alert says how urgent it is, what it means and what to do', async (t) => {
  for (const alert of alerts) {
    t.match(alert, /\n +for: \d+[mh]\n +labels:\n +severity: (?:page|ticket)\n/);
    t.match(alert, /\n +summary: \w.*\n +description: >-\n +\S/);
  }
});

t.test('each panel says in a sentence what it shows', async (t) => {
  for (const { type, title, description } of panels) {
    if (type !== 'row') t.match(description, /^[A-Z][^.]*\S.*\.$/, title);
  }
});
