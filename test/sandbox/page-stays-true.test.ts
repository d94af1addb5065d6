import type { Page, Route } from 'playwright-core';
import { CHROMIUM } from '../helpers/browser.ts';
import { testWith } from '../helpers/installed.ts';
import { until } from '../helpers/until.ts';
import { addTag, loaded, openPage } from './opened-page.ts';

const isOn = (page: Page, label: string) => page.getByRole('radio', { name: label, checked: true }).waitFor();

testWith(CHROMIUM, 'the last switch that is picked wins, on every open page', async (t) => {
  const { page, phone, sandbox } = await openPage(t);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let changes = 0;
  await page.route(/\/(?:page\/mode|sandbox)/, async (route: Route) => {
    changes += 1;
    if (changes === 1) await released;
    await route.continue();
  });
  await page.getByRole('radio', { name: 'Down' }).check();
  await page.getByRole('radio', { name: 'Slow' }).check();
  await page.getByRole('radio', { name: 'Works' }).check();
  release();
  await until('all are sent', () => changes >= 3);
  await page.waitForLoadState('networkidle');
  await isOn(page, 'Works');
  await addTag(phone, 'Nancy Grace', 'vip');

  await page.getByRole('radio', { name: 'Wrong reply' }).check();
  await addTag(phone, 'Nancy Grace', 'pinned', /cometchat-reply-invalid/);
  t.equal(await phone.getByLabel('New tag for Nancy Grace').inputValue(), 'pinned', 'the tag is kept');
  const calls = sandbox.calls.length;
  const second = await page.context().newPage();
  await second.goto(sandbox.origin);
  await isOn(second, 'Wrong reply');
  await second
    .getByText(/^Could not list/)
    .first()
    .waitFor();
  t.ok(sandbox.calls.length > calls, 'no call is forgotten');
  await second.getByRole('radio', { name: 'Works' }).check();
  await isOn(page, 'Works');
  await phone.getByLabel('New tag for Nancy Grace').press('Enter');
  await phone.getByText('Added pinned to Nancy Grace.').waitFor();
  t.equal(await phone.getByLabel('New tag for Nancy Grace').inputValue(), '');
});

testWith(CHROMIUM, 'the page reloads itself when the sandbox has started again', async (t) => {
  const { page, sandbox } = await openPage(t);
  await sandbox.link('refused');
  await page.route('**/page/events', (route) => route.fulfill({ status: 401 }), { times: 1 });
  await sandbox.servePage({ gateway: sandbox.origin, signIn: async () => '' });
  await sandbox.link('up');
  await page.getByText('It calls the gateway at').getByText(sandbox.origin).waitFor();
  t.pass('with what holds now');
});

testWith(CHROMIUM, 'a tab that is hidden leaves the browser its connections', async (t) => {
  const patient = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '20000', COMETCHAT_DEADLINE_MS: '20000' };
  const { page, phone, sandbox } = await openPage(t, {}, patient);
  const turn = (isHidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));`);
  const isEvents = (request: { url(): string }) => request.url().endsWith('/page/events');
  const release = sandbox.hold();
  await addTag(phone, 'Nancy Grace', 'pinned', 'Waiting');
  const result = page.locator('.entry').first().locator('.called .result').first();
  await result.getByText('waiting').waitFor();
  const ended = page.waitForEvent('requestfailed', isEvents);
  await turn(true);
  await ended;
  release();
  await phone.getByText('Added pinned to Nancy Grace.').waitFor();
  const heard = page.waitForResponse(isEvents);
  await turn(false);
  await heard;
  await result.getByText('not seen').waitFor();
  await addTag(phone, 'Nancy Grace', 'vip');
  await page.locator('.entry').first().getByText('CometChat gets').first().waitFor();
});

testWith(CHROMIUM, 'a failure leaves nothing on the screen that is not so', async (t) => {
  const { page, phone, laptop, sandbox } = await openPage(t);
  const pickUser = (uid: string) => page.getByLabel('Signed in as').selectOption(uid);
  const release = sandbox.hold();
  await addTag(phone, 'Nancy Grace', 'vip', 'Waiting');
  await pickUser('cometchat-uid-1');
  await loaded(page);
  release();
  await page.locator('.entry:not(.open)', { hasText: 'Phone: add vip to Nancy Grace' }).waitFor();
  t.equal(await page.getByText('has changed tags').count(), 0, 'another user’s devices have changed them');

  await page.getByRole('radio', { name: 'Down' }).check();
  await until('it is', async () =>
    (await (await fetch(`${sandbox.origin}/page/settings`)).text()).includes('"down"'),
  );
  await phone.getByRole('button', { name: 'More' }).dblclick();
  const entry = page.locator('.entry').first();
  await phone.getByText(/^Could not list conversations: 502/).waitFor();
  t.equal(await entry.locator('h3 span').count(), 1, 'a second click adds nothing');
  await laptop.getByLabel('Filter by tag').selectOption('pinned');
  await laptop.getByText(/^Could not list conversations tagged pinned: /).waitFor();
  t.equal(await laptop.locator('.conversation').count(), 0, 'the old list is not under the new filter');
  t.equal(await laptop.getByRole('button', { name: 'More' }).count(), 0);

  await page.getByRole('radio', { name: 'Works' }).check();
  await page.route('**/page/session?*', (route) => route.fulfill({ status: 500, json: {} }), { times: 2 });
  await pickUser('cometchat-uid-2');
  for (const device of [phone, laptop]) {
    await device.getByText(/^Could not list conversations: .*sign-in failed with 500/).waitFor();
    await device.getByRole('button', { name: 'Reload' }).click();
  }
  await loaded(page);
});

testWith(CHROMIUM, 'a tag of any letters and any length stays in its place', async (t) => {
  const { page, phone } = await openPage(t);
  const backwards = '\u202eabc';
  await addTag(phone, 'Nancy Grace', backwards, /^Added .*abc/);
  t.equal(
    await phone.getByRole('status').innerText(),
    `Added \u2068${backwards}\u2069 to Nancy Grace.`,
    'what is around it is not turned round',
  );
  await addTag(phone, 'Nancy Grace', 'x'.repeat(100));
  const style = (selector: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('${selector}')).unicodeBidi`);
  t.equal(await style('.chip bdi'), 'isolate');
  t.equal(await style('.line code'), 'plaintext');
  t.equal(await style('.line pre'), 'plaintext');
  t.equal(
    await page.evaluate(`document.querySelectorAll('.timeline, .device').values()
    .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.className).toArray().join()`),
    '',
  );
});
