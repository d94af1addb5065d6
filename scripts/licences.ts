// node scripts/licences.ts: prints the licence of every production dependency of package-lock.json: name, version, SPDX id, and
// the texts that the package ships. The image holds it, and `npm run sbom` writes it beside the SBOM.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

const RULE = '='.repeat(80);
const TEXT = /^(licen[sc]es?|copying|notice)([-.]\w+)*$/i;
const CODE = /\.([cm]?[jt]s|json)$/;

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const entries = Object.entries<Locked>(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);

const unlicensed = entries.filter(([, { license }]) => !license).map(([path]) => path);
if (unlicensed.length > 0) {
  process.stderr.write(`Without a licence in package-lock.json: ${unlicensed.join(', ')}\n`);
  process.exit(1);
}
process.stdout.write(entries.map(section).join('\n\n'));

function section([path, { version, license }]: [string, Locked]): string {
  const name = path.split('node_modules/').at(-1);
  const texts = textsOf(path);
  const text = texts.length > 0 ? texts.join('\n\n') : 'The package ships no text of its licence.';
  return `${RULE}\n${name} ${version}\n${license}\n${RULE}\n\n${text}\n`;
}

/** Those of the package, and of code in it that it has from others. Its own dependencies are listed for themselves. */
function textsOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => TEXT.test(basename(file)) && !CODE.test(file) && !file.includes('node_modules/'))
    .sort()
    .map((file) => `--- ${file} ---\n\n${readFileSync(join(folder, file), 'utf8').trim()}`);
}
