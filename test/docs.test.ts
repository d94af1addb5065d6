import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { PROBLEMS } from '../src/base/problems.ts';
import { EnvironmentSchema } from '../src/config/variables.ts';
import { startGateway } from './helpers/gateway.ts';
import { testWith } from './helpers/installed.ts';
import { sign } from './helpers/tokens.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The cells of the README's tables whose rows match. */
const rows = (pattern: RegExp): string[][] =>
  readme
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, 3)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );

t.test('the README lists every variable, with its default', async (t) => {
  const expected = Object.entries(EnvironmentSchema.properties).map(([name, { default: value = '' }]) => [
    name,
    String(value),
  ]);
  t.strictSame(rows(/^\| `[A-Z_]+` \|/), expected);
});

t.test('the README lists every problem, with its status', async (t) => {
  const expected = Object.entries(PROBLEMS).map(([code, { status }]) => [String(status), code]);
  t.strictSame(rows(/^\| \d{3} \|/), expected);
});

testWith('curl', 'the README’s examples of the API are answered as it says', async (t) => {
  const { origin } = await startGateway(t);
  const env = { PATH: process.env.PATH, GATEWAY: origin, TOKEN: await sign() };
  const api = readme.slice(readme.indexOf('## The API'), readme.indexOf('## Call it from an app'));
  const examples = [...api.matchAll(/```sh\n(curl .*?)```/gs)].map(([, lines = '']) => lines);
  const answers = [];
  for (const lines of examples) {
    const { stdout } = await promisify(execFile)('bash', ['-c', lines], { env });
    answers.push(JSON.parse(stdout));
  }
  const [documented] = /\{\n {2}"conversations"[\s\S]*?\n\}\n/.exec(api) ?? [''];
  const [put, patched, read, list] = answers;
  t.strictSame(put, JSON.parse(documented));
  t.strictSame(patched.conversations[0].tags, ['vip', 'pinned']);
  t.strictSame(read, patched);
  t.strictSame(list, { ...read, pagination: { page: 1, perPage: 20, hasMore: false } });
});

t.test('the README says of the performance what the bench has measured, word by word', async (t) => {
  const results = readFileSync(new URL('../bench/RESULTS.md', import.meta.url), 'utf8');
  const [, summary = ''] = /^# .*\n\n([\s\S]*?)\n\n/.exec(results) ?? [];
  t.match(summary, /requests\/s/);
  t.ok(readme.includes(`## Performance\n\n${summary}\n`));
});

t.test('SECURITY.md names tests that exist', async (t) => {
  const security = readFileSync(new URL('../SECURITY.md', import.meta.url), 'utf8');
  const table = security.slice(security.indexOf('| promise | held by |'), security.indexOf('## What is no'));
  const names = [...table.matchAll(/`test\/([^`]+)`/g)].map(([, name = '']) => name);
  t.ok(names.length > 20);
  const missing = names.filter(
    (name) => !['.test.ts', '.slow.ts'].some((end) => existsSync(new URL(name + end, import.meta.url))),
  );
  t.strictSame(missing, []);
});
