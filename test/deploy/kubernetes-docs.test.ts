import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { variablesOf, withSecretFiles } from '../helpers/deployed.ts';
import { pageOf } from '../helpers/docs-page.ts';
import { testWith } from '../helpers/installed.ts';
import { build, find, type Manifest, PRODUCTION, schemaFaults } from '../helpers/manifests.ts';

const run = promisify(execFile);

const url = new URL('../../docs/kubernetes.md', import.meta.url);
const page = pageOf('kubernetes.md');
/** The examples, and the heading that each comes after. */
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(({ 1: text = '', index }) => ({
  about:
    page
      .slice(0, index)
      .match(/(?<=^### ).*/gm)
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
  const { stdout } = await run('bash', ['-c', `${command} --dry-run=client -o json`], {
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

/** The Secret with the proxy's address, as the page's command makes it of the page's file. */
async function proxySecret(cwd: string): Promise<Manifest> {
  const [, file = ''] = /```sh\n *(HTTPS_PROXY=.*\n)/.exec(page) ?? [];
  const [, command] = /^ *(kubectl create secret generic \S+ --from-env-file=proxy\.env)$/m.exec(page) ?? [];
  writeFileSync(join(cwd, 'proxy.env'), file);
  const { stdout } = await run('bash', ['-c', `${command} --dry-run=client -o json`], { cwd });
  return JSON.parse(stdout);
}

/** The overlay with an example in it: its objects, and the variables of the gateway, those from the proxy's Secret included. */
async function buildWith(t: Test, example: Manifest) {
  const folder = t.testdir({});
  const { namespace } = find(await build(PRODUCTION), 'Deployment').metadata;
  const kustomization = { namespace, resources: [relative(folder, PRODUCTION)], ...example };
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
  for (const { files } of example.configMapGenerator ?? []) {
    for (const file of files) writeFileSync(join(folder, file), 'a certificate');
  }
  const made = await build(folder);
  const { metadata, data } = await proxySecret(folder);
  const env = containerOf(made).env.map(({ name, value, valueFrom }: Manifest) => {
    if (!valueFrom) return { name, value };
    t.equal(valueFrom.secretKeyRef.name, metadata.name);
    return { name, value: Buffer.from(data[valueFrom.secretKeyRef.key], 'base64').toString() };
  });
  return { made, variables: variablesOf({ env }) };
}

for (const { about, example } of fragments) {
  testWith('kubectl', `the overlay builds, and the gateway starts, with: ${about}`, async (t) => {
    const { made, variables } = await buildWith(t, example);
    t.notSame(made, await build(PRODUCTION), 'it changes something');
    for (const object of made) t.strictSame(await schemaFaults(object), [], object.kind);
    t.strictSame(loadConfig(withSecretFiles(t, variables)).warnings, []);
  });
}

testWith('kubectl', 'a proxy is used, its policy has its port, and no call goes past it', async (t) => {
  const example = fragments.find(({ about }) => about === 'Outgoing proxy')?.example;
  const policy = objects.find(({ metadata }) => metadata.name === 'cometchat-gateway-proxy');
  const { made, variables } = await buildWith(t, example);
  const { proxies } = loadConfig(withSecretFiles(t, variables));
  t.match(page, `"proxy":"${proxies.join(' ')}"`);
  t.strictSame(
    policy.spec.egress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => `${port}`)),
    proxies.map((proxy) => new URL(proxy).port),
  );
  const { egress } = find(made, 'NetworkPolicy', 'cometchat-gateway-egress').spec;
  t.strictSame(
    egress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port)),
    [53, 53],
  );
});

testWith('kubectl', 'a certificate of its own is mounted where Node.js looks for it', async (t) => {
  const example = fragments.find(({ about }) => about === 'Certificate authority')?.example;
  const { made, variables } = await buildWith(t, example);
  const { volumes } = find(made, 'Deployment').spec.template.spec;
  const { configMap } = volumes.find(({ name }: Manifest) => name === 'company-ca');
  const { data } = find(made, 'ConfigMap', configMap.name);
  const { mountPath } = containerOf(made).volumeMounts.find(({ name }: Manifest) => name === 'company-ca');
  t.strictSame(
    Object.keys(data).map((file) => join(mountPath, file)),
    [variables.NODE_EXTRA_CA_CERTS],
  );
});

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
