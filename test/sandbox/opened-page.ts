import { randomUUID } from 'node:crypto';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Test } from 'tap';
import { newContext } from '../helpers/browser.ts';
import type { Variables } from '../helpers/environment.ts';
import { startGateway } from '../helpers/gateway.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { sign } from '../helpers/tokens.ts';

/** Opens the page in a browser, with a gateway and a sandbox of its own. At the end, nothing may have gone wrong in it. */
export async function openPage(t: Test, options: BrowserContextOptions = {}, env: Variables = {}) {
  const sandbox = await startSandbox(t);
  const { origin } = await startGateway(
    t,
    { CORS_ORIGINS: sandbox.origin, ...env },
    // A pause that CometChat asks for ends only where time goes on.
    { sandbox, seams: { now: Date.now } },
  );
  const expired = { exp: Math.floor(Date.now() / 1000) - 3600 };
  await sandbox.servePage({
    gateway: origin,
    // As at a real back end, no two tokens are the same.
    signIn: (sub, isExpired) => sign({ sub, jti: randomUUID(), ...(isExpired && expired) }),
  });
  const context = await newContext(t, options);
  const page = await context.newPage();
  const faults: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // Chromium says so of each answer of 400 or more, which the page asks for.
    if (!message.text().startsWith('Failed to load resource')) faults.push(message.text());
  });
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  t.teardown(() => {
    const strangers = [...origins].filter((one) => one !== sandbox.origin && one !== origin);
    for (const one of strangers) faults.push(`${one} was asked`);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  });
  await page.goto(sandbox.origin);
  await loaded(page);
  return {
    page,
    sandbox,
    phone: page.getByRole('region', { name: 'Phone' }),
    laptop: page.getByRole('region', { name: 'Laptop' }),
  };
}

/** Waits until both devices have their list. */
export async function loaded(page: Page): Promise<void> {
  for (const device of ['Phone', 'Laptop']) {
    await page.getByRole('region', { name: device }).getByText('Page 1 of conversations loaded.').waitFor();
  }
}

/** Adds a tag on a device, and waits for what it says of that. */
export async function addTag(
  device: Locator,
  name: string,
  tag: string,
  outcome: RegExp | string = `Added ${tag} to ${name}.`,
): Promise<void> {
  const field = device.getByLabel(`New tag for ${name}`);
  if (!(await field.isVisible())) await device.getByRole('button', { name: `Add a tag to ${name}` }).click();
  await field.fill(tag);
  await field.press('Enter');
  await device.getByRole('status').filter({ hasText: outcome }).waitFor();
}
