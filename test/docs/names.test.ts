import { existsSync, globSync, readFileSync } from 'node:fs';
import t from 'tap';
import { PROBLEMS } from '../../src/base/problems.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { codeIn, pageOf, rowsIn, sectionOf } from '../helpers/docs-page.ts';

const root = new URL('../../', import.meta.url).pathname;
/** All pages but the changelog, which also names what is gone. */
const pages = globSync('{*,{.github,bench,client,deploy,docs}/{,*/}*}.md', { cwd: root }).filter(
  (page) => page !== 'CHANGELOG.md',
);
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const metrics = rowsIn(sectionOf(pageOf('observability.md'), '## Metrics')).flatMap(([cell]) => codeIn(cell));
const variables = Object.keys(EnvironmentSchema.properties);
const OURS = /^(?:COMETCHAT|SESSION|REDIS|RATE|CORS|TRUST|HSTS|SHUTDOWN|UID|ON_BEHALF)_[A-Z_]+[A-Z]$/;
const isVariable = (name: string) => variables.includes(name.replace(/_FILE$/, ''));

/** What the pages name, how to find it, and whether there is such a thing. */
const NAMES: readonly [what: string, pattern: RegExp, exists: (name: string, more: string) => boolean][] = [
  ['npm script', /npm run (?:--silent )?([a-z]+(?:[:-][a-z]+)*)/g, (name) => Object.hasOwn(scripts, name)],
  ['problem with its status', /(?<![\d,])([1-5]\d\d) `([a-z]+(?:-[a-z]+)+)`/g, isProblem],
  [
    'metric',
    /`(?:cometchat_gateway_)?([a-z_]+_total|api_key_in_use|secrets_stale|circuit_open)\b/g,
    isMetric,
  ],
  ['variable', /`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g, (name) => !OURS.test(name) || isVariable(name)],
  ['file', /`((?:src|test|deploy|scripts|docs|sandbox|client)\/[\w./-]+\.\w+)`/g, isFile],
];

function isProblem(status: string, code: string): boolean {
  const problem = Object.entries(PROBLEMS).find(([name]) => name === code);
  return problem !== undefined && String(problem[1].status) === status;
}

function isMetric(name: string): boolean {
  return metrics.includes(name) || /^process_|^nodejs_/.test(name);
}

function isFile(name: string): boolean {
  return existsSync(root + name);
}

for (const [what, pattern, exists] of NAMES) {
  t.test(`each ${what} that a page names is there`, async (t) => {
    const named = pages.flatMap((page) =>
      [...readFileSync(root + page, 'utf8').matchAll(pattern)].map(([, name = '', more = '']) => ({
        page,
        name,
        more,
      })),
    );
    t.ok(named.length > 20, `${named.length} names`);
    t.strictSame(
      named.filter(({ name, more }) => !exists(name, more)),
      [],
    );
  });
}
