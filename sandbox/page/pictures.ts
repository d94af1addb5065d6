// npm run pictures: takes the pictures of the sandbox's page, docs/page-light.png and docs/page-dark.png. An argument names
// another folder than docs.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { fastify } from 'fastify';
import { chromium, type Page } from 'playwright-core';
import { signSession } from '../../scripts/sign-session.ts';
import { gateway, serverOptions } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { Sandbox } from '../server.ts';

const [folder = 'docs'] = process.argv.slice(2);
/** Where the gateway of the demo is. */
const SHOWN = '127.0.0.1:3000';

const apiKey = randomBytes(20).toString('hex');
const secret = randomBytes(32).toString('hex');
const rules = { issuer: 'https://app.example', audience: 'cometchat-gateway' };
const sandbox = await Sandbox.start({ apiKey });
const config = loadConfig({
  COMETCHAT_BASE_URL: sandbox.baseUrl,
  COMETCHAT_API_KEY: apiKey,
  SESSION_SECRET: secret,
  SESSION_ISSUER: rules.issuer,
  SESSION_AUDIENCE: rules.audience,
  CORS_ORIGINS: sandbox.origin,
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'error',
});
const app = fastify(serverOptions(createLog(config.log, process.stderr), config.trustedProxies));
await app.register(gateway, config);
const { host } = new URL(await app.listen(config.listen));
await sandbox.servePage({
  gateway: `http://${SHOWN}`,
  signIn: (sub) => signSession({ secrets: [secret], ...rules }, { sub }),
});

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
