// npm run pictures: takes the pictures of the sandbox's page, docs/page-light.png and docs/page-dark.png. An argument names
// another folder than docs.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import { demoGateway } from '../../scripts/demo/gateway.ts';
import { Sandbox } from '../server.ts';

const [folder = 'docs'] = process.argv.slice(2);
/** Where the gateway of the demo is. */
const SHOWN = '127.0.0.1:3000';

const apiKey = randomBytes(20).toString('hex');
const sandbox = await Sandbox.start({ apiKey });
const { app, signIn } = await demoGateway({ sandbox, apiKey, write() {} });
const { host } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
await sandbox.servePage({ gateway: `http://${SHOWN}`, signIn });

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  // The port is a free one, so that the pictures can be taken beside a demo.
  args: ['--no-sandbox', '--disable-gpu', `--host-rules=MAP ${SHOWN} ${host}`],
});
const page = await browser.newPage({ viewport: { width: 1240, height: 750 } });
await page.goto(sandbox.origin);
await act(page);
for (const colorScheme of ['light', 'dark'] as const) {
  await page.emulateMedia({ colorScheme });
  await page.screenshot({ path: `${folder}/page-${colorScheme}.png` });
}
await browser.close();
await app.close();
await sandbox.close();

/** Does what there is to see in the picture. */
async function act(page: Page): Promise<void> {
  const laptop = page.getByRole('region', { name: 'Laptop' });
  await laptop.getByRole('button', { name: 'Add a tag to Friend 2' }).click();
  await page.keyboard.type('vip');
  await page.keyboard.press('Enter');
  await laptop.getByText('Added vip to Friend 2.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('region', { name: 'Phone' }).getByRole('button', { name: 'Reload' }).click();
  await page.getByText('Phone has changed').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Add a tag from each device' }).click();
  await page.getByText('Both survive').waitFor();
  await page.mouse.move(0, 0);
}
