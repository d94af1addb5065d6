import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const SCRIPT = fileURLToPath(new URL('../../scripts/release-notes.ts', import.meta.url));

const CHANGELOG = `# Changelog

What a user notices.

## [1.3.0] - 2026-12-24

### Added

- A thing.

## [1.2.0] - 2026-12-01

- An older thing.
`;

interface Release {
  readonly version?: string;
  readonly locked?: string;
  readonly changelog?: string;
}

/** What the script says in a repository that is just about to be released. */
async function notesOf(t: Test, args: string[], release: Release = {}) {
  const { version = '1.3.0', locked = version, changelog = CHANGELOG } = release;
  const cwd = t.testdir({
    'package.json': JSON.stringify({ version }),
    'package-lock.json': JSON.stringify({ version: locked, packages: { '': { version: locked } } }),
    'CHANGELOG.md': changelog,
  });
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile(process.execPath, [SCRIPT, ...args], { cwd }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  );
}

t.test('the notes of a release are the entry of its version', async (t) => {
  t.strictSame(await notesOf(t, ['v1.3.0']), { code: 0, stdout: '### Added\n\n- A thing.\n', stderr: '' });
});

t.test('the last entry of the file ends with the file', async (t) => {
  const { stdout } = await notesOf(t, ['v1.2.0'], { version: '1.2.0' });
  t.equal(stdout, '- An older thing.\n');
});

const REFUSED: readonly [claim: string, tag: string, release: Release, fault: string][] = [
  ['another tag', 'v1.2.0', {}, 'the tag is v1.2.0, and package.json has 1.3.0'],
  ['a tag without its v', '1.3.0', {}, 'the tag is 1.3.0, and package.json has 1.3.0'],
  [
    'an older lock file',
    'v1.3.0',
    { locked: '1.2.0' },
    'package-lock.json has another version than package.json, 1.3.0: run "npm install"',
  ],
  [
    'a changelog that does not know it',
    'v1.4.0',
    { version: '1.4.0' },
    'CHANGELOG.md has no entry "## [1.4.0] - <date>"',
  ],
  [
    'an entry without a date',
    'v1.3.0',
    { changelog: CHANGELOG.replace('2026-12-24', 'Unreleased') },
    'CHANGELOG.md: the entry of 1.3.0 has "Unreleased" where its date belongs',
  ],
  [
    'an empty entry',
    'v1.3.0',
    { changelog: CHANGELOG.replace('### Added\n\n- A thing.\n', '') },
    'CHANGELOG.md: the entry of 1.3.0 is empty',
  ],
];
for (const [claim, tag, release, fault] of REFUSED) {
  t.test(`there is no release with ${claim}`, async (t) => {
    t.strictSame(await notesOf(t, [tag], release), { code: 1, stdout: '', stderr: `${fault}\n` });
  });
}

t.test('every fault is named at once', async (t) => {
  const { stderr } = await notesOf(t, ['v1.9.0'], { version: '1.4.0', locked: '1.2.0' });
  t.match(stderr, /^the tag is.*\npackage-lock.json has.*\nCHANGELOG.md has no entry.*\n$/);
});

t.test('it takes one tag, and nothing else', async (t) => {
  for (const args of [[], ['v1.3.0', 'v1.2.0']]) {
    t.match(await notesOf(t, args), { code: 64, stdout: '', stderr: /^usage: / });
  }
});
