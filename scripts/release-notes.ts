// node scripts/release-notes.ts v1.2.0: prints what CHANGELOG.md says of that version. It ends with 1, and names each fault, where
// the tag, package.json, package-lock.json and CHANGELOG.md do not agree. It reads those of the current folder.
import { readFileSync } from 'node:fs';

const [tag, ...others] = process.argv.slice(2);
if (tag === undefined || others.length > 0) {
  process.stderr.write('usage: node scripts/release-notes.ts <tag>\n');
  process.exit(64);
}

const read = (file: string) => readFileSync(file, 'utf8');
const { version } = JSON.parse(read('package.json'));
const lock = JSON.parse(read('package-lock.json'));
/** The heading of the version, and what stands below it. */
const [, date, notes = ''] =
  read('CHANGELOG.md')
    .split(/^## /m)
    .map((entry) => /^\[(.*?)\] - (.*)\n([\s\S]*)$/.exec(entry)?.slice(1) ?? [])
    .find(([name]) => name === version) ?? [];

const faults = [
  tag !== `v${version}` && `the tag is ${tag}, and package.json has ${version}`,
  [lock.version, lock.packages[''].version].some((one) => one !== version) &&
    `package-lock.json has another version than package.json, ${version}: run "npm install"`,
  date === undefined && `CHANGELOG.md has no entry "## [${version}] - <date>"`,
  date !== undefined &&
    !/^\d{4}-\d{2}-\d{2}$/.test(date) &&
    `CHANGELOG.md: the entry of ${version} has "${date}" where its date belongs`,
  date !== undefined && notes.trim() === '' && `CHANGELOG.md: the entry of ${version} is empty`,
].filter((fault) => fault !== false);

if (faults.length === 0) {
  process.stdout.write(`${notes.trim()}\n`);
} else {
  process.stderr.write(`${faults.join('\n')}\n`);
  process.exitCode = 1;
}
