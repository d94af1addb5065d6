import t from 'tap';
import { counted } from '../helpers/all-metrics.ts';
import { blocksIn, codeIn, pageOf, rowsIn, sectionOf } from '../helpers/docs-page.ts';
import { startGateway } from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { sourceText } from '../helpers/source-text.ts';
import { bearer, OTHER } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

const page = pageOf('observability.md');

t.test('the page has each metric of the gateway, with its labels, and no other', async (t) => {
  const known = await counted(t);
  const rows = rowsIn(sectionOf(page, '## Metrics'));
  t.strictSame(
    rows.flatMap(([cell]) => codeIn(cell)).sort(),
    [...known.keys()]
      .filter((name) => /^cometchat_gateway_|^http_.*_count$/.test(name))
      .map((name) => name.replace(/^cometchat_gateway_|_count$/g, ''))
      .sort(),
  );
  for (const [cell, , labels = ''] of rows) {
    const [name = ''] = codeIn(cell);
    const there = known.get(`cometchat_gateway_${name}`) ?? known.get(`${name}_count`) ?? new Map();
    for (const [label, values] of there) {
      t.match(labels, `\`${label}\``, `${name}: ${label}`);
      // Where the page lists values, it lists them all.
      const [, list = ''] = new RegExp(`\`${label}\`: (.*)`).exec(labels) ?? [];
      const isWhole = codeIn(list).length > 1 && !list.includes('code of the problem');
      if (isWhole) t.strictSame(codeIn(list).sort(), [...values].sort(), `${name}: values`);
    }
  }
});

const levels = sectionOf(page, '### Levels, and lines to alert on');

t.test('the table of the log’s fields has each field of a request’s line, and no other', async (t) => {
  const gateway = await startGateway(
    t,
    { CORS_ORIGINS: 'https://app.example' },
    { extend: (app) => app.get('/defect', () => Promise.reject(new Error('a defect'))) },
  );
  const { get, list, origin, patch, put, requests, sandbox, setTags, underWay } = gateway;
  sandbox.play('status-503', 3);
  await setTags();
  for (const name of ['field-odd', 'field-missing'] as const) {
    sandbox.play(name);
    await setTags();
  }
  sandbox.fault({ status: 200, body: { data: [{}] } });
  await list();
  await put({ tags: [] }, await bearer({ iss: 'somebody' }));
  await get('/defect');
  for (const from of ['https://app.example', 'https://other.example']) {
    const preflight = { origin: from, 'access-control-request-method': 'DELETE' };
    await get('/me/conversations', { method: 'OPTIONS', headers: preflight });
  }
  const change = { add: ['a'], conversationWith: OTHER };
  const release = sandbox.hold();
  const first = await underWay(() => patch(change));
  const second = patch(change);
  await gateway.counted('joined_writes');
  release();
  await Promise.all([first.answer, second]);
  sandbox.play('silence');
  const leaving = new AbortController();
  const init = { headers: await bearer(), signal: leaving.signal };
  const left = await underWay(() => fetch(`${origin}/me/conversations`, init).catch(() => {}));
  leaving.abort();
  await left.answer;
  await until('the line of the client that left', () => requests().some(({ aborted }) => aborted));

  const traced = await startProcess(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  await traced.call();
  const [line] = await traced.child.says(/\{.*"msg":"request".*/);

  const fields = new Set([...requests(), JSON.parse(line)].flatMap((each) => Object.keys(each)));
  const [table = ''] = sectionOf(page, '## The log').split('\n### ');
  t.strictSame(
    rowsIn(table)
      .flatMap(([cell]) => codeIn(cell))
      .sort(),
    [...fields].sort(),
  );
  const [shown = ''] = blocksIn(table, 'json');
  t.ok(Object.keys(JSON.parse(shown)).every((field) => fields.has(field)));
});

t.test('the page has each line of level error and fatal, as the code has it', async (t) => {
  const source = await sourceText();
  const told = rowsIn(levels).flatMap(([, cell]) => codeIn(cell));
  for (const line of told) t.ok(source.includes(line.replace(' ...', '')), line);
  const made = [...source.matchAll(/\.(?:error|fatal)\(\s*\{[^}]*\}(?: : \w+)?,\s*'([^']+)'/g)];
  t.ok(made.length >= 6);
  for (const [, line = ''] of made) t.ok(told.includes(line), line);
});
