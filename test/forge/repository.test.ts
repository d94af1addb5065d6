import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');

interface Update {
  readonly 'package-ecosystem': string;
  readonly directory?: string;
  readonly directories?: readonly string[];
  readonly schedule: { interval: string };
  readonly cooldown: unknown;
  readonly groups: Readonly<Record<string, object>>;
}

/** What dependabot looks for in a folder, by its name of the ecosystem. */
const FILES: Readonly<Record<string, string>> = {
  npm: 'package-lock.json',
  docker: 'Dockerfile',
  'docker-compose': 'docker-compose.yml',
  'github-actions': '.github/workflows',
};

t.test('dependabot looks after all that is pinned, in few pull requests', async (t) => {
  const { version, updates } = parse(read('.github/dependabot.yml')) as {
    version: number;
    updates: Update[];
  };
  t.equal(version, 2);
  t.strictSame(
    updates.map((update) => update['package-ecosystem']),
    Object.keys(FILES),
  );
  for (const { 'package-ecosystem': ecosystem, directory, directories = [directory], ...update } of updates) {
    for (const folder of directories) t.ok(existsSync(new URL(`.${folder}/${FILES[ecosystem]}`, root)));
    t.match(update.schedule.interval, /^(?:daily|weekly|monthly)$/);
    t.ok(Object.keys(update.groups).length > 0);
    for (const group of Object.values(update.groups)) {
      const known = ['dependency-type', 'update-types', 'patterns'];
      t.ok(Object.keys(group).every((key) => known.includes(key)));
    }
  }
});

t.test('it waits for as long as npm does here', async (t) => {
  const [, days] = /^min-release-age=(\d+)$/m.exec(read('.npmrc')) ?? [];
  const { updates } = parse(read('.github/dependabot.yml')) as { updates: Update[] };
  for (const { cooldown } of updates) t.strictSame(cooldown, { 'default-days': Number(days) });
});

t.test('each path of CODEOWNERS is there', async (t) => {
  const lines = read('.github/CODEOWNERS').match(/^[^#\s].*$/gm) ?? [];
  t.ok(lines.length > 3);
  for (const line of lines) {
    const [path = '', ...owners] = line.split(' ');
    t.ok(path === '*' || existsSync(new URL(`.${path}`, root)), path);
    t.ok(owners.length > 0 && owners.every((owner) => /^@[\w-]+(?:\/[\w-]+)?$/.test(owner)), line);
  }
});

interface Field {
  readonly type: string;
  readonly id?: string;
  readonly attributes: { label?: string; value?: string; options?: readonly unknown[] };
}

t.test('each issue form has what GitHub asks of one', async (t) => {
  for (const name of ['bug', 'feature']) {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${name}.yml`));
    t.match(form, { name: /\w/, description: /\w/, labels: [/^(?:bug|enhancement)$/] });
    const fields = form.body as Field[];
    const answered = fields.filter(({ type }) => type !== 'markdown');
    t.equal(new Set(answered.map(({ id }) => id)).size, answered.length, 'ids that are there, and differ');
    for (const { type, id = '-', attributes } of fields) {
      t.match(type, /^(?:markdown|input|textarea|dropdown|checkboxes)$/);
      t.match(id, /^[\w-]+$/);
      t.ok(type === 'markdown' ? attributes.value : attributes.label, `${name}: ${id}`);
      t.equal(attributes.options !== undefined, type === 'dropdown' || type === 'checkboxes');
    }
  }
});
