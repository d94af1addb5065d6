import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { variablesOf, withSecretFiles } from '../helpers/deployed.ts';
import { testWith } from '../helpers/installed.ts';
import { build, find, type Manifest, PRODUCTION, schemaFaults } from '../helpers/manifests.ts';

const url = new URL('../../docs/kubernetes.md', import.meta.url);
const page = readFileSync(url, 'utf8');
/** The examples, and the heading or the bold words that each comes after. */
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(({ 1: text = '', index }) => ({
  about:
    page
      .slice(0, index)
      .match(/^### .*|^\*\*.*?\*\*/gm)
      ?.at(-1) ?? '',
  example: parse(text) as Manifest,
}));
const objects = examples.map(({ example }) => example).filter(({ kind }) => kind);
const fragments = examples.filter(({ example }) => !example.kind);
const containerOf = (made: Manifest[]) => find(made, 'Deployment').spec.template.spec.containers[0];

/** The files of the secrets by the names that the gateway has for them. */
async function secretFiles(): Promise<[name: string, file: string][]> {
  const variables = Object.entries(variablesOf(containerOf(await build(PRODUCTION))));
  return variables
    .filter(([name]) => name.endsWith('_FILE'))
    .map(([name, path]) => [name.slice(0, -'_FILE'.length), basename(path)]);
}

testWith('kubectl', 'both commands for the Secret name the files that the gateway reads', async (t) => {
  const files = await secretFiles();
  const commands = [...page.matchAll(/create secret generic (\S+) \\\n *(.*)/g)];
  t.equal(commands.length, 2, 'to begin with, and to rotate');
  for (const [, name, options = ''] of commands) {
    const [volume] = find(await build(PRODUCTION), 'Deployment').spec.template.spec.volumes;
    t.equal(name, volume.secret.secretName);
    t.strictSame(
      [...options.matchAll(/--from-file=(\S+)/g)].map(([, file]) => file),
      files.map(([, file]) => file),
    );
  }
  const properties = EnvironmentSchema.properties as Record<string, { mayBeEmpty?: boolean }>;
  const optional = files.filter(([name]) => properties[name]?.mayBeEmpty);
  t.equal(optional.length, 1);
  for (const [, file] of optional) t.match(page, `touch ${file}\n`);
});

testWith('kubectl', 'the first of them makes the Secret, the empty file included', async (t) => {
  const files = (await secretFiles()).map(([, file]) => file);
  const [, command = ''] = /```sh\n( *touch .*?)\n *```/s.exec(page) ?? [];
  const cwd = t.testdir(
    Object.fromEntries(
      files.filter((file) => !command.includes(`touch ${file}\n`)).map((file) => [file, 'secret']),
    ),
  );
  const { stdout } = await promisify(execFile)('bash', ['-c', `${command} --dry-run=client -o json`], {
    cwd,
  });
  const secret = JSON.parse(stdout);
  t.strictSame(await schemaFaults(secret), []);
  t.strictSame(Object.keys(secret.data).sort(), [...files].sort());
});

t.test('each object is as the schema of its kind has it, and about the gateway’s Pods', async (t) => {
  t.ok(objects.length >= 3);
  for (const object of objects) {
    t.strictSame(await schemaFaults(object), [], object.metadata.name);
    t.strictSame(object.spec.podSelector.matchLabels, { 'app.kubernetes.io/name': 'cometchat-gateway' });
  }
});

for (const { about, example } of fragments) {
  testWith('kubectl', `the overlay builds, and the gateway starts, with: ${about}`, async (t) => {
    const folder = t.testdir({});
    const without = await build(PRODUCTION);
    const kustomization = { resources: [relative(folder, PRODUCTION)], ...example };
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
    const made = await build(folder);
    t.notSame(made, without, 'it changes something');
    for (const object of made) t.strictSame(await schemaFaults(object), [], object.kind);
    t.strictSame(loadConfig(withSecretFiles(t, variablesOf(containerOf(made)))).warnings, []);
  });
}

t.test('files and folders that it names exist', async (t) => {
  const links = [...page.matchAll(/\]\(([^)#:]+)[)#]/g)].map(([, link = '']) => link);
  const files = [...page.matchAll(/`([\w-]+\.yaml)`/g)].map(([, file = '']) => file);
  t.ok(files.length > 8);
  const folders = [PRODUCTION, new URL('../../deploy', import.meta.url).pathname];
  for (const link of links) t.ok(existsSync(new URL(link, url)), link);
  for (const file of files)
    t.ok(
      folders.some((folder) => existsSync(join(folder, file))),
      file,
    );
});
