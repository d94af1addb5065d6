import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { PROBLEMS } from '../../src/base/problems.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { bash, blocksIn, codeIn, rowsIn, sectionOf } from '../helpers/docs-page.ts';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { OTHER, sign } from '../helpers/tokens.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const readme = read('README.md');
const section = (heading: string) => sectionOf(readme, `## ${heading}`);

t.test('the README has 170 lines at most', async (t) => {
  t.ok(readme.split('\n').length <= 171);
});

testWith('curl', 'its call is answered as it says, after the calls of the demo', async (t) => {
  const { origin, put } = await startGateway(t);
  await put({ tags: ['vip'], conversationWith: OTHER });
  const call = section('One call');
  const [command = ''] = blocksIn(call, 'sh');
  const stdout = await bash(command, { GATEWAY: origin, TOKEN: await sign() });
  const [answer = ''] = blocksIn(call, 'json');
  t.strictSame(JSON.parse(stdout), JSON.parse(answer));
});

t.test('it lists all requests of openapi.yaml', async (t) => {
  const { paths } = parse(read('openapi.yaml')) as { paths: Record<string, object> };
  const requests = Object.entries(paths)
    .filter(([path]) => path.startsWith('/me/'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  t.strictSame(
    rowsIn(section('One call'))
      .flatMap(([request]) => codeIn(request))
      .sort(),
    requests.sort(),
  );
});

t.test('it has five errors, each with its status', async (t) => {
  const errors = rowsIn(section('Five errors that an app must handle'));
  t.equal(errors.length, 5);
  for (const [status, codes] of errors) {
    for (const code of codeIn(codes))
      t.equal(String(PROBLEMS[code as keyof typeof PROBLEMS]?.status), status, code);
  }
});

t.test('it names variables that exist', async (t) => {
  const variables = ['Sessions', 'The variables that matter']
    .flatMap((heading) => codeIn(section(heading)))
    .map((name) => name.replace(/_FILE=.*|=.*/, ''))
    .filter((name) => /^[A-Z]+_[A-Z_]+$/.test(name));
  t.ok(variables.length > 10);
  t.strictSame(
    variables.filter((name) => !Object.hasOwn(EnvironmentSchema.properties, name)),
    [],
  );
});

t.test('it says of the cost what the bench has measured', async (t) => {
  const [, measured = ''] = /^\*\*(At .* requests a second, .*)\.\*\*$/m.exec(read('bench/RESULTS.md')) ?? [];
  t.match(measured, /adds .* ms/);
  t.ok(section('What it promises, and what it costs').includes(measured));
});
