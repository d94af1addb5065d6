import t, { type Test } from 'tap';
import type { Tls } from '../../sandbox/certificates.ts';
import type { Seams } from '../../src/base/services.ts';
import { adminServer } from '../../src/operations/admin.ts';
import { bash, blocksIn, codeIn, pageOf, rowsIn, sectionOf, variablesIn } from '../helpers/docs-page.ts';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { ME, sign } from '../helpers/tokens.ts';
import { trust } from '../helpers/trust.ts';
import { until } from '../helpers/until.ts';

const page = pageOf('try-failures.md');
const [file = '', , shell = ''] = blocksIn(sectionOf(page, '## Start a gateway that you can break'), 'sh');
const { COMETCHAT_BASE_URL: _, ...env } = variablesIn(file);
const STAND_IN = { apiKey: env.COMETCHAT_API_KEY ?? '' };

/** The page waits a second for a link to hang, and less for a call to be under way. This waits for as long as it takes. */
const SLEEP = `sleep() {
  if [ "$1" = 1 ]; then until curl -s --max-time 0.5 -o /dev/null $SANDBOX/calls; [ $? = 28 ]; do :; done
  else until curl -sS $SANDBOX/calls | grep -q PUT; do :; done; fi
}`;

/** Starts a gateway that shows its metrics, and gives what runs commands of the page before it. */
async function start(t: Test, overrides: Record<string, string> = {}, seams: Partial<Seams> = {}) {
  const { app, origin, sandbox, lines } = await startGateway(
    t,
    { ...env, ...overrides },
    { sandbox: STAND_IN, seams },
  );
  const admin = adminServer(app.metrics);
  t.teardown(() => admin.close());
  const metrics = await admin.listen({ host: '127.0.0.1', port: 0 });
  const token = await sign({ iss: env.SESSION_ISSUER, sub: ME }, { secret: env.SESSION_SECRET ?? '' });
  const begin = shell.replace(/^set -a.*\n/m, '').replace(/^TOKEN=.*$/m, `TOKEN=${token}`);
  return {
    logged: (text: string) => until(text, () => lines.some((line) => line.includes(text))),
    /** @returns what is printed, each line with its end */
    async run(commands: string): Promise<string> {
      const script = [begin, SLEEP, commands]
        .join('\n')
        .replaceAll('http://127.0.0.1:3000', origin)
        .replaceAll('http://127.0.0.1:4000', sandbox.origin)
        .replaceAll('http://127.0.0.1:9090', metrics)
        .replaceAll('npm run --silent token --', `${process.execPath} scripts/token.ts`);
      return (await bash(script, env)).replace(/(?<=\S)$/, '\n');
    },
  };
}

/** The same as a pattern: three dots stand for any lines. */
const asPattern = (printed: string): RegExp =>
  new RegExp(`^${printed.split('\n').map(RegExp.escape).join('\n').replaceAll('\\.\\.\\.\n', '(?:.*\n)*')}$`);

const parallel = { buffered: true };
t.jobs = 2;

testWith('curl', 'without a fault the change is made', async (t) => {
  const { run } = await start(t);
  t.equal(await run('put'), '200\n');
});

const rows = rowsIn(sectionOf(page, '## One failure, one request'));
t.ok(rows.length >= 20);
for (const [what = '', command, printed, line] of rows) {
  const test = async (t: Test) => {
    const { run, logged } = await start(t, {}, { now: Date.now });
    t.equal(await run(`${codeIn(command)}; put`), `${codeIn(printed)}\n`);
    await logged(String(codeIn(line)));
  };
  testWith('curl', what, test, parallel);
}

const stories = page
  .split(/^## /m)
  .filter((section) => /```sh\n/.test(section) && !section.startsWith('Start '));
t.ok(stories.length >= 6);
for (const section of stories) {
  const test = async (t: Test) => {
    const { run, logged } = await start(t);
    const [commands = ''] = blocksIn(section, 'sh');
    const [printed = ''] = blocksIn(section, '');
    t.match(await run(commands), asPattern(printed));
    const [, line] = /The log has\s+`([^`]+)`/.exec(section) ?? [];
    if (line) await logged(line);
  };
  testWith('curl', section.slice(0, section.indexOf('\n')), test, parallel);
}

const variants = rowsIn(sectionOf(page, '## With other variables'));
t.ok(variants.length >= 4);
for (const [what = '', command, commands, printed, line] of variants) {
  const test = async (t: Test) => {
    const [begin = ''] = codeIn(command);
    t.match(begin, / npm start$/);
    const { run, logged } = await start(t, variablesIn(begin.replaceAll(' ', '\n')));
    const lines = codeIn(printed).map((line) => `${line}\n`);
    t.equal(await run(String(codeIn(commands))), lines.join(''));
    await logged(String(codeIn(line)));
  };
  testWith('curl', what, test, parallel);
}

testWith('curl', 'a bad certificate', async (t) => {
  const [, tls = ''] = /`SANDBOX_TLS=([\w-]+) npm run sandbox`/.exec(page) ?? [];
  const [, line = ''] = /the\s+log\s+has\s+`(CERT_\w+)`/.exec(page) ?? [];
  const secured = await startSandbox(t, { ...STAND_IN, tls: tls as Tls });
  trust(t, { ca: secured.ca ?? '' });
  const { run, logged } = await start(t, { COMETCHAT_BASE_URL: secured.baseUrl });
  t.equal(await run('put'), '502 cometchat-failed\n');
  t.match(line, /^CERT_/);
  await logged(line);
});
