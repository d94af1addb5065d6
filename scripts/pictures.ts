// npm run pictures: takes the page's pictures for the documentation, docs/page-light.png and docs/page-dark.png.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { fastify } from 'fastify';
import { chromium, type Page } from 'playwright-core';
import { Sandbox } from '../sandbox/server.ts';
import { gateway, serverOptions } from '../src/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { createLog } from '../src/operations/log.ts';
import { signSession } from './sign-session.ts';

const [folder = 'docs'] = process.argv.slice(2);
const CHROMIUM = { executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] };

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
const app = fastify(serverOptions(createLog(config.log, process.stdout), config.trustedProxies));
await app.register(gateway, config);
const origin = await app.listen(config.listen);
const signIn = (sub: string) => signSession({ secrets: [secret], ...rules }, { sub });
await sandbox.servePage({ gateway: origin, signIn });

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch(CHROMIUM);
for (const colorScheme of ['light', 'dark'] as const) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1240, height: 900 } });
  await page.goto(sandbox.origin);
  await act(page);
  await page.screenshot({ path: `${folder}/page-${colorScheme}.png` });
}
await browser.close();
await app.close();
await sandbox.close();

/** Does what there is to see in the picture. */
async function act(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Add a tag from each device' }).click();
  await page.getByText('Both survive').waitFor();
}
