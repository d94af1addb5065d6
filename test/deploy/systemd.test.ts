import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { faultsOf } from '../helpers/environment.ts';
import { testWith } from '../helpers/installed.ts';
import { API_KEY, SECRET } from '../helpers/secrets.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const unit = read('deploy/cometchat-gateway.service');
const docs = read('docs/systemd.md');

/** What the unit says of a setting, in its order. */
const settings = (name: string): string[] =>
  [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);

const pairs = (lines: readonly string[], separator: string): Record<string, string> =>
  Object.fromEntries(lines.map((line) => line.split(new RegExp(`${separator}(.*)`), 2)));

const credentials = pairs(settings('LoadCredential'), ':');
const variables = pairs(settings('Environment'), '=');
const documented = pairs(
  /^cat > \S+\/gateway\.env .*\n([\s\S]*?)\nEND$/m.exec(docs)?.[1]?.split('\n') ?? [],
  '=',
);

/** The unit in a file of its own, with a Node.js that is there. */
function copyOf(t: Test): string {
  const text = unit.replace('ExecStart=node ', `ExecStart=${process.execPath} `);
  return join(t.testdir({ 'cometchat-gateway.service': text }), 'cometchat-gateway.service');
}

t.test('systemd starts the gateway as npm start does', async (t) => {
  t.strictSame(settings('ExecStart'), [JSON.parse(read('package.json')).scripts.start]);
});

testWith('systemd-analyze', 'systemd finds no fault in the unit', async (t) => {
  const args = ['verify', '--recursive-errors=no', '--man=no', copyOf(t)];
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  t.equal(stdout + stderr, '');
  t.equal(status, 0);
});

testWith('systemd-analyze', 'the gateway has hardly a right that it does not need', async (t) => {
  // 0 is none, 100 are all; a unit that says nothing has over 90.
  const args = ['security', '--offline=true', '--threshold=20', '--no-pager', copyOf(t)];
  const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  t.equal(status, 0, stdout);
});

t.test('V8 may write machine code and run it', async (t) => {
  t.strictSame(settings('MemoryDenyWriteExecute'), []);
});

t.test(
  'each secret is a credential, which the gateway reads as a file, and an empty one where there is none',
  async (t) => {
    const secrets = Object.entries(EnvironmentSchema.properties).filter(([, { secret }]) => secret);
    const files = Object.entries(variables).filter(([name]) => name.endsWith('_FILE'));
    t.ok(files.length >= 4);
    const names = secrets.map(([name]) => `${name}_FILE`);
    t.strictSame(
      files.filter(([name]) => !names.includes(name)),
      [],
    );
    t.strictSame(
      files.map(([, path]) => path),
      Object.keys(credentials).map((id) => `%d/${id}`),
    );
    t.strictSame(
      settings('SetCredential'),
      Object.keys(credentials).map((id) => `${id}:\\n`),
    );
  },
);

t.test('the steps make the files of the unit, and nobody but root can read the secrets', async (t) => {
  const made = [...docs.matchAll(/^install -m 0600 \/dev\/null (\S+)$/gm)].map(([, name]) => name);
  t.strictSame(
    made.map((name) => `/etc/cometchat-gateway/${name}`),
    Object.values(credentials),
  );
  t.match(docs, `useradd --system --user-group`);
  t.strictSame([...settings('User'), ...settings('Group')], ['cometchat-gateway', 'cometchat-gateway']);
  t.match(docs, ` ${settings('WorkingDirectory')}\n`);
  t.match(docs, `cat > ${settings('EnvironmentFile')} <<`);
});

t.test('the gateway starts with what the steps give it, and has nothing to say of it', async (t) => {
  const folder = t.testdir({
    'cometchat-api-key': API_KEY,
    'cometchat-api-key-secondary': '\n',
    'session-secret': SECRET,
    'redis-url': 'redis://redis.example',
  });
  const inFolder = Object.entries(variables).map(([name, value]) => [name, value.replace('%d', folder)]);
  const environment = { ...Object.fromEntries(inFolder), ...documented };
  for (const more of [{}, { REDIS_URL_FILE: '' }]) {
    t.strictSame(faultsOf({ ...environment, ...more }), []);
    t.strictSame(loadConfig({ ...environment, ...more }).warnings, []);
  }
  t.equal(loadConfig({ ...environment, REDIS_URL_FILE: '' }).redis, undefined);
});

t.test('it has the time to end by itself, and a bad configuration is not started again', async (t) => {
  const { default: deadlineMs = 0 } = EnvironmentSchema.properties.SHUTDOWN_DEADLINE_MS;
  // A second longer where the reader of its log is slow.
  t.ok(Number.parseInt(settings('TimeoutStopSec')[0] ?? '', 10) * 1000 > Number(deadlineMs) + 1000);
  t.strictSame(settings('KillSignal'), ['SIGTERM']);
  t.strictSame(settings('KillMode'), ['mixed']);
  t.strictSame(settings('Restart'), ['on-failure']);
  t.strictSame(settings('RestartPreventExitStatus'), ['78']);
});
