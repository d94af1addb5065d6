import { readFileSync } from 'node:fs';
import t from 'tap';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

const [, ...entries] = read('CHANGELOG.md').split(/^## /m);
const versions = entries.map((entry) => /^\[(\d+\.\d+\.\d+)\]/.exec(entry)?.[1] ?? '');

t.test('the newest entry is of the version in package.json', async (t) => {
  t.equal(versions[0], JSON.parse(read('package.json')).version);
});

t.test('the example of an overlay runs that version', async (t) => {
  t.match(read('deploy/kubernetes/overlays/production/kustomization.yaml'), `newTag: ${versions[0]}\n`);
});

t.test('each version is newer than the one below it', async (t) => {
  t.strictSame(
    versions,
    versions.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true })),
  );
  t.equal(new Set(versions).size, versions.length);
});

t.test('each version has a date, and the newest may be unreleased', async (t) => {
  for (const [place, entry] of entries.entries()) {
    const date = place === 0 ? /^\S+ - (?:\d{4}-\d\d-\d\d|Unreleased)$/m : /^\S+ - \d{4}-\d\d-\d\d$/m;
    t.match(entry.split('\n')[0], date);
  }
});

t.test('what changed has one line each, below one of the six headings', async (t) => {
  for (const entry of entries) {
    const [, ...lines] = entry.split('\n').filter((line) => line !== '');
    t.match(lines[0], /^### /);
    for (const line of lines) {
      t.match(line, /^(?:### (?:Added|Changed|Deprecated|Removed|Fixed|Security)|- [A-Z`[\w].*\.)$/);
    }
  }
});
