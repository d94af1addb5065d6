import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { pageOf } from '../helpers/docs-page.ts';
import { testWith } from '../helpers/installed.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const ALERTS = 'deploy/prometheus-alerts.yaml';

interface Alert {
  alert: string;
  annotations: { runbook_url: string };
}
const alerts: Alert[] = parse(read(ALERTS)).groups.flatMap(({ rules }: { rules: Alert[] }) => rules);
const runbook = pageOf('runbook.md');
const [, ...sections] = runbook.split(/^## /m);
const headings = sections.map((section) => section.slice(0, section.indexOf('\n')));
/** As GitHub makes one of a heading that is a word. */
const anchorOf = (heading: string) => `#${heading.toLowerCase()}`;

t.test('the runbook has a heading for each alert, and no other', async (t) => {
  t.ok(alerts.length > 20);
  t.strictSame(
    headings,
    alerts.map(({ alert }) => alert),
  );
});

t.test('the runbook_url of each alert leads to its heading, and all have one base to replace', async (t) => {
  for (const { alert, annotations } of alerts) {
    const url = new URL(annotations.runbook_url);
    t.equal(url.hash, anchorOf(alert));
    t.equal(`${url.origin}${url.pathname}`, 'https://runbooks.example.com/cometchat-gateway');
  }
});

t.test('each heading says what to see, what to ask, whose fault it is and what to do', async (t) => {
  const order =
    /^\w+\n\n\*\*See\.\*\* .*\n\n\*\*Ask\.\*\* .*\n```promql\n.*\n\n\*\*Fault\.\*\* .*\n\n\*\*Do\.\*\* /s;
  for (const section of sections) t.match(section, order);
});

t.test('the links within the runbook lead to headings', async (t) => {
  const anchors = headings.map(anchorOf);
  const links = [...runbook.matchAll(/\]\((#[^)]*)\)/g)].map(([, link = '']) => link);
  t.ok(links.length > 5);
  for (const link of links) t.ok(anchors.includes(link), link);
});

testWith('promtool', 'Prometheus takes the alerts, and the queries of the runbook', async (t) => {
  const queries = [...runbook.matchAll(/```promql\n(.*)\n```/g)].map(([, expr]) => ({
    record: 'asked',
    expr,
  }));
  t.equal(queries.length, headings.length);
  const file = `${t.testdir({ 'queries.yaml': stringify({ groups: [{ name: 'runbook', rules: queries }] }) })}/queries.yaml`;
  for (const [path, count] of [
    [ALERTS, alerts.length],
    [file, queries.length],
  ] as const) {
    const check = promisify(execFile)('promtool', ['check', 'rules', '--lint=none', path]);
    t.match((await check).stdout, `SUCCESS: ${count} rules found`);
  }
});

testWith('jq', 'jq takes what the runbook counts in the log', async (t) => {
  const counted = [...runbook.matchAll(/^count '(.*)'$|`count '(.*?)'`/gm)].map(
    ([, line, word]) => line ?? word,
  );
  t.ok(counted.length > 15);
  const filter = `{} | ${counted.map((one) => `(${one} // empty)`).join(', ')}`;
  t.equal((await promisify(execFile)('jq', ['-n', filter])).stderr, '');
});
