import type { Locator, Page } from 'playwright-core';
import { CHROMIUM } from '../helpers/browser.ts';
import { testWith } from '../helpers/installed.ts';
import { addTag, loaded, openPage } from './opened-page.ts';

const names = (device: Locator) => device.locator('.name').allTextContents();
const tagsOf = (device: Locator, name: string) =>
  device
    .getByRole('list', { name: `Tags of ${name}` })
    .locator('bdi')
    .allTextContents();
/** The lines of the newest entry. */
async function newest(page: Page): Promise<string[]> {
  const lines = await page.locator('.entry').first().locator('.line').allInnerTexts();
  return lines.map((line) => line.replace(/\s+/g, ' '));
}

testWith(CHROMIUM, 'a user is picked, and has conversations of their own, ten at a time', async (t) => {
  const { page, phone, laptop } = await openPage(t);
  t.strictSame((await names(phone)).slice(0, 2), ['George Alan', 'Project Group1']);
  t.strictSame(await names(laptop), await names(phone));
  await page.getByLabel('Signed in as').selectOption('cometchat-uid-1');
  await loaded(page);
  t.strictSame((await names(phone)).slice(0, 1), ['Nancy Grace']);
  t.equal((await names(phone)).length, 10);
  await phone.getByRole('button', { name: 'More' }).click();
  await phone.getByText('Page 2 of conversations loaded.').waitFor();
  t.equal(new Set(await names(phone)).size, 20);
  t.equal((await names(laptop)).length, 10, 'the laptop has a list of its own');
});

testWith(CHROMIUM, 'a tag is added, filtered by and removed', async (t) => {
  const { page, phone, laptop } = await openPage(t);
  await addTag(phone, 'Nancy Grace', 'pinned');
  t.strictSame(await tagsOf(phone, 'Nancy Grace'), ['pinned']);
  t.strictSame(await tagsOf(laptop, 'Nancy Grace'), []);
  await laptop.getByText('Phone has changed tags. Reload.').waitFor();
  await laptop.getByRole('button', { name: 'Reload' }).click();
  await laptop.getByText('pinned', { exact: true }).locator('visible=true').waitFor();
  t.strictSame(await tagsOf(laptop, 'Nancy Grace'), ['pinned']);
  t.equal(await laptop.getByText('Phone has changed tags').count(), 0);

  await laptop.getByLabel('Filter by tag').selectOption('pinned');
  await laptop.getByText('Page 1 of conversations tagged pinned loaded.').waitFor();
  t.strictSame(await names(laptop), ['Nancy Grace']);
  await laptop.getByRole('button', { name: 'Remove pinned from Nancy Grace' }).click();
  await laptop.getByText('Removed pinned from Nancy Grace.').waitFor();
  await laptop.getByRole('button', { name: 'Reload' }).click();
  await laptop.getByText('No conversation has the tag pinned.').waitFor();
  await addTag(phone, 'Nancy Grace', '\u200b', /^Could not add .*: 400 body-invalid\./);
  t.equal(await page.getByText('No request of this page').count(), 0, 'every call had a request');
});

testWith(CHROMIUM, 'a change is seen from the app to CometChat and back, without the key', async (t) => {
  const { page, phone, sandbox } = await openPage(t);
  await addTag(phone, 'Nancy Grace', 'pinned');
  t.match(await newest(page), [
    /^Phone sends PATCH \/me\/conversations\/tags \{.*"add":\["pinned"\]\}$/,
    /^CometChat gets GET \/v3\/users\/cometchat-uid-2\/conversation 200 \d+ ms$/,
    /^CometChat gets PUT \/v3\/users\/cometchat-uid-2\/conversation \{"tags":\["pinned"\]\} 200 \d+ ms$/,
    /^Phone gets \{"tags":\["pinned"\]\} 200 \d+ ms$/,
  ]);
  for (const line of await page.locator('.entry').first().locator('summary').all()) await line.click();
  const [sent, , , put, putReply, got] = await page.locator('.entry').first().locator('pre').allInnerTexts();
  t.match(
    sent,
    /^PATCH \/me\/conversations\/tags\nAuthorization: Bearer \w{11}…\n\n\{\n {2}"conversationWith"/,
  );
  t.match(put, /\napikey: ••••••••\nonBehalfOf: cometchat-uid-4\n\n\{\n {2}"tags": \[\n {4}"pinned"\n/);
  t.match(putReply, /^200, 1\.3 kB\n\n\{\n {2}"data": \{/);
  t.match(got, /^200, \d{3} B\n\n\{\n {2}"conversations": \[/);
  const key = String(sandbox.calls[0]?.headers.apikey);
  t.notMatch(await page.content(), new RegExp(key));

  await fetch(`${sandbox.baseUrl}/users/cometchat-uid-5/conversation`, {
    headers: { apikey: key, onbehalfof: 'cometchat-uid-1' },
  });
  await page.getByText('No request of this page was under way').waitFor();
});

testWith(
  CHROMIUM,
  'of two devices that change the same conversation at once, both changes survive',
  async (t) => {
    const { page, phone, laptop, sandbox } = await openPage(t);
    const both = page.getByRole('region', { name: 'Both at once' });
    await both.getByLabel('Conversation').selectOption('Nancy Grace');
    for (const number of [1, 2]) {
      await both.getByRole('button').click();
      await both.getByText(`Both survive: Nancy Grace has phone-${number} and laptop-${number}.`).waitFor();
    }
    const tags = await tagsOf(phone, 'Nancy Grace');
    t.strictSame(new Set(tags), new Set(['phone-1', 'laptop-1', 'phone-2', 'laptop-2']));
    t.strictSame(await tagsOf(laptop, 'Nancy Grace'), tags);
    t.strictSame(sandbox.world.tags('cometchat-uid-4', 'users', 'cometchat-uid-2'), tags);
    const title = await page.locator('.entry h3').first().innerText();
    t.match(title, /^Phone: add phone-2 to Nancy Grace\nLaptop: add laptop-2 to Nancy Grace/, 'in one entry');
  },
);

/** What the app gets in the end, and what is seen of the way there. */
const SWITCHES = [
  ['Slow', /^Added/, /CometChat gets GET .* 200 (?:[5-9]\d\d ms|\d\.\d s)/],
  ['Down', /: 502 cometchat-failed\./, /CometChat gets GET .* no reply[\s\S]*Phone repeats .* attempt 3/],
  ['Rate-limited', /: 503 cometchat-busy\./, /GET .* 429[\s\S]*cometchat-busy, Retry-After: 2 503/],
  ['Wrong reply', /: 502 cometchat-reply-invalid\./, /Phone gets cometchat-reply-invalid 502/],
  ['Token expired', /^Added/, /session-expired 401[\s\S]*attempt 2[\s\S]*PUT .* 200/],
] as const;

testWith(CHROMIUM, 'each switch shows what the app gets, until it works again', async (t) => {
  const { page, phone } = await openPage(t);
  for (const [label, outcome, lines] of SWITCHES) {
    const tag = label.toLowerCase();
    await page.getByRole('radio', { name: label }).check();
    const said = /gets (\d{3})(?: ([a-z]+-[a-z-]+))?/.exec(await page.locator('#effect').innerText());
    await addTag(phone, 'Nancy Grace', tag, outcome);
    const seen = (await newest(page)).join('\n');
    t.match(seen, lines, label);
    const [, status = '?', code = ''] = said ?? [];
    t.ok(seen.includes(status) && seen.includes(code), `as it was said before: ${status} ${code}`);
    await page.getByRole('radio', { name: 'Works' }).check();
    await addTag(phone, 'Nancy Grace', `${tag} again`);
  }
});

testWith(CHROMIUM, 'a CometChat that never answers ends in a timeout', async (t) => {
  const short = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '100', COMETCHAT_DEADLINE_MS: '300' };
  const { page, phone } = await openPage(t, {}, short);
  await page.getByRole('radio', { name: 'Silent' }).check();
  await addTag(phone, 'Nancy Grace', 'vip', /: 504 cometchat-timeout\./);
  t.match((await newest(page)).join('\n'), /CometChat gets GET .* no reply[\s\S]*Phone repeats .* attempt 3/);
});
