import { readFileSync } from 'node:fs';
import t from 'tap';
import { PROBLEMS } from '../../src/base/problems.ts';
import { REASONS } from '../../src/session/reasons.ts';
import { counted } from '../helpers/all-metrics.ts';

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

t.test('whatever is the gateway’s own to count is on the dashboard', async (t) => {
  const shown = new Set(ofPanels.flatMap(({ metrics }) => metrics));
  const own = [...(await counted(t)).keys()].filter((name) => name.startsWith('cometchat_gateway_'));
  for (const name of own) t.ok(shown.has(name), name);
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
