import { readFileSync, statSync } from 'node:fs';
import t from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { bash, blocksIn, codeIn, pageOf, rowsIn, sectionOf, variablesIn } from '../helpers/docs-page.ts';
import { environment } from '../helpers/environment.ts';
import { testWith } from '../helpers/installed.ts';
import { Child, startProcess } from '../helpers/process.ts';

const page = pageOf('configuration.md');
const rows = rowsIn(sectionOf(page, '## All variables'));

/** What a schema says of a variable. */
interface Property {
  readonly default?: string | number;
  readonly secret?: true;
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly { readonly const: string }[];
}
const properties = Object.entries(EnvironmentSchema.properties) as [string, Property][];

t.test('the page lists every variable, with its default, in the order of the schema', async (t) => {
  const expected = properties.map(([name, { default: value = '' }]) => [name, String(value)]);
  t.strictSame(
    rows.map(([name, value]) => [name, value].map((cell) => codeIn(cell).join())),
    expected,
  );
});

t.test('the page says of each variable whether it is a secret, its bounds and its values', async (t) => {
  for (const [index, [name, property]] of properties.entries()) {
    const [, , text = ''] = rows[index] ?? [];
    t.equal(text.startsWith('Secret. '), property.secret === true, name);
    if (property.type === 'integer') t.match(text, `${property.minimum} to ${property.maximum}`, name);
    for (const { const: value } of property.anyOf ?? []) {
      if (value !== property.default) t.match(text, `\`${value}\``, name);
    }
  }
});

const steps = sectionOf(page, '## A first configuration for your CometChat app');
const [makeFile = '', begin = '', call = ''] = blocksIn(steps, 'sh');

testWith('openssl', 'the steps start a gateway, and their request is answered as they say', async (t) => {
  const folder = t.testdir();
  await bash(makeFile, {}, folder);
  const file = `${folder}/gateway.env`;
  t.equal(statSync(file).mode & 0o777, 0o600);
  const made = variablesIn(readFileSync(file, 'utf8'));
  t.match(made, {
    COMETCHAT_APP_ID: '',
    COMETCHAT_REGION: '',
    COMETCHAT_API_KEY: '',
    SESSION_SECRET: /^[\da-f]{64}$/,
  });
  t.match(begin, /npm start/);

  const [, apiKey = ''] = /`COMETCHAT_API_KEY=([\w-]+)`/.exec(steps) ?? [];
  const env = { ...made, COMETCHAT_API_KEY: apiKey };
  const { origin } = await startProcess(t, env, { sandbox: { apiKey } });
  const commands = call
    .replace(/^ *set -a.*\n/, '')
    .replace('http://localhost:3000', origin)
    .replace('your-user-id', 'cometchat-uid-4')
    .replace('another-user-id', 'cometchat-uid-3');
  const answer = await bash(commands, env);
  t.match(steps, /`cometchat-uid-4`\s+and\s+`cometchat-uid-3`/);
  t.match(steps, '`"tags":["archived"]`');
  t.match(answer, '"tags":["archived"]');
});

t.test('a bad environment ends the process as the page shows', async (t) => {
  const section = sectionOf(page, '## When a value is wrong');
  const [variables = ''] = blocksIn(section, 'sh');
  const [printed = ''] = blocksIn(section, '');
  const child = new Child(t, ['src/main.ts'], variablesIn(variables));
  t.equal(await child.exit(), Number(/exit code \*\*(\d+)\*\*/.exec(section)?.[1]));
  t.equal(child.stderr, printed);
  t.equal(child.stdout, '');
});

t.test('the warnings are those that the page shows', async (t) => {
  const section = sectionOf(page, '### Warnings');
  const [variables = ''] = blocksIn(section, 'sh');
  const [printed = ''] = blocksIn(section, '');
  const { warnings } = loadConfig({ ...environment(''), ...variablesIn(variables) });
  t.strictSame(warnings, printed.trimEnd().split('\n'));
});

t.test('the line "ready" has the fields that the page shows', async (t) => {
  const section = sectionOf(page, '### The line "ready"');
  const [shown = ''] = blocksIn(section, 'json');
  const { child } = await startProcess(t);
  const [line] = await child.says(/\{.*"msg":"ready".*/);
  t.strictSame(Object.keys(JSON.parse(shown)), Object.keys(JSON.parse(line)));
  const fields = Object.keys(JSON.parse(line)).filter((name) => !['level', 'time', 'msg'].includes(name));
  t.strictSame(
    rowsIn(section).map(([name]) => codeIn(name).join()),
    fields,
  );
});
