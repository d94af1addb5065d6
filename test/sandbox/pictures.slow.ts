import { readFileSync } from 'node:fs';
import { CHROMIUM } from '../helpers/browser.ts';
import { testWith } from '../helpers/installed.ts';
import { Child } from '../helpers/process.ts';

testWith(CHROMIUM, 'npm run pictures takes one picture in light and one in dark', async (t) => {
  const folder = t.testdir();
  const child = new Child(t, ['sandbox/page/pictures.ts', folder]);
  t.equal(await child.exit(), 0, child.stderr);
  t.equal(child.stderr, '');
  const [light, dark] = ['light', 'dark'].map((name) => readFileSync(`${folder}/page-${name}.png`));
  for (const picture of [light, dark]) {
    t.equal(picture?.toString('latin1', 1, 4), 'PNG');
    t.equal(picture?.readUInt32BE(16), 1240, 'the width');
    t.ok(Number(picture?.length) < 250_000, `${picture?.length} bytes`);
  }
  t.notSame(light, dark);
});
