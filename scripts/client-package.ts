// npm run client: builds the client, and packs it into dist/cometchat-gateway-client-<version>.tgz.
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('../', import.meta.url)));
const OUT = 'dist/client';

for (const old of [OUT, ...globSync('dist/cometchat-gateway-client-*.tgz')]) {
  rmSync(old, { recursive: true, force: true });
}
execFileSync('tsc', ['--project', 'client'], { stdio: 'inherit' });
// tsc writes ".js" into JavaScript alone; TypeScript before 5.0 takes no ".ts" in a declaration.
for (const file of globSync(`${OUT}/*.d.ts`)) {
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(?<= from '\.\/\w+)\.ts(?=')/g, '.js'));
}
for (const file of ['client/package.json', 'client/README.md', 'LICENSE']) {
  copyFileSync(file, `${OUT}/${file.slice(file.lastIndexOf('/') + 1)}`);
}
execFileSync('npm', ['pack', '--silent', '--pack-destination=dist', `./${OUT}`], { stdio: 'inherit' });
