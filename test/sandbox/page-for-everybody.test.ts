import type { Page } from 'playwright-core';
import { CHROMIUM } from '../helpers/browser.ts';
import { testWith } from '../helpers/installed.ts';
import { addTag, openPage } from './opened-page.ts';

/** Presses Tab until the focus is on what has this name. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = page.locator(':focus');
    const label = (await focused.getAttribute('aria-label')) ?? (await focused.getAttribute('value'));
    if (`${label} ${await focused.textContent()}`.includes(name)) return;
  }
  throw new Error(`Tab does not come to ${name}`);
}

testWith(CHROMIUM, 'the keyboard alone does all of it', async (t) => {
  const { page, phone, laptop } = await openPage(t);
  const { keyboard } = page;
  await tabTo(page, 'Susan Marie');
  await keyboard.press('ArrowUp');
  await laptop.getByText('Susan Marie').waitFor();
  await tabTo(page, 'works');
  await keyboard.press('ArrowLeft');
  t.ok(await page.getByRole('radio', { name: 'Token expired' }).isChecked());
  await keyboard.press('ArrowRight');
  await tabTo(page, 'Add a tag from each device');
  await keyboard.press('Enter');
  await page.getByText('Both survive').waitFor();
  await tabTo(page, 'Add a tag to John Paul on Phone');
  await keyboard.press('Enter');
  await keyboard.type('pinned');
  await keyboard.press('Enter');
  await phone.getByText('Added pinned to John Paul.').waitFor();
  await keyboard.type('vip');
  await keyboard.press('Enter');
  await phone.getByText('Added vip to John Paul.').waitFor();
  await keyboard.press('Escape');
  const isFocused = () => page.locator(':focus').getAttribute('aria-label');
  t.equal(await isFocused(), 'Add a tag to John Paul on Phone', 'where it was before');
  await tabTo(page, 'Remove pinned from John Paul');
  await keyboard.press('Enter');
  await phone.getByText('Removed pinned from John Paul.').waitFor();
  t.equal(await isFocused(), 'Add a tag to John Paul on Phone', 'the removed button leaves it nearby');
  await tabTo(page, 'Phone sends');
  await keyboard.press('Enter');
  await page.locator('details[open]').getByText('Authorization: Bearer').waitFor();
});

/** Brings the page into a state that has everything: a failure, a long tag, an open field, an open line. */
async function showEverything(page: Page): Promise<void> {
  const phone = page.getByRole('region', { name: 'Phone' });
  await addTag(phone, 'Nancy Grace', 'x'.repeat(100));
  await page.locator('.line.called summary').first().click();
  await page.getByRole('radio', { name: 'Wrong reply' }).check();
  await addTag(phone, 'Nancy Grace', 'vip', /cometchat-reply-invalid/);
  await page.locator('.entry').nth(1).waitFor();
}

testWith(CHROMIUM, 'a phone of 360 pixels shows all of it, and fingers hit every button', async (t) => {
  const { page } = await openPage(t, { viewport: { width: 360, height: 640 }, hasTouch: true });
  await showEverything(page);
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
  await page.getByRole('link', { name: 'Live' }).click();
  const { y = 0 } = (await page.getByRole('heading', { name: 'Live' }).boundingBox()) ?? {};
  t.ok(y >= 0 && y < 60, `what is live is one touch away: ${y}`);
  for (const control of await page.locator('button, select, input, summary').all()) {
    const { height = 0 } = (await control.boundingBox()) ?? {};
    t.ok(
      height >= 40,
      `${height}: ${(await control.getAttribute('aria-label')) ?? (await control.textContent())}`,
    );
  }
});

/** The lowest contrast of any text with what is behind it, as WCAG counts it; runs in the page. */
const LOWEST_CONTRAST = `(() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [[r, 0.2126], [g, 0.7152], [b, 0.0722]]
    .map(([value, weight]) => [value / 255, weight])
    .reduce((sum, [value, weight]) => sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4), 0);
  const behind = (element) => {
    const color = rgb(getComputedStyle(element).backgroundColor);
    return color[3] === 255 || !element.parentElement ? color : behind(element.parentElement);
  };
  const texts = [...document.querySelectorAll('body *:not(option, datalist *)')].filter((element) =>
    element.matches('input, select') || [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''));
  const all = texts.map((element) => {
    const [one, other] = [luminance(rgb(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    return { contrast: (one + 0.05) / (other + 0.05), text: element.className + ' ' + element.textContent.trim().slice(0, 40) };
  });
  return { count: all.length, ...all.reduce((least, one) => (one.contrast < least.contrast ? one : least)) };
})()`;

testWith(CHROMIUM, 'every text stands out, in light and in dark', async (t) => {
  const pages: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await openPage(t, { colorScheme });
    await showEverything(page);
    const lowest = (await page.evaluate(LOWEST_CONTRAST)) as {
      contrast: number;
      text: string;
      count: number;
    };
    t.ok(lowest.count > 100);
    t.ok(lowest.contrast >= 4.5, `${colorScheme}: ${lowest.contrast}: ${lowest.text}`);
    pages.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
  }
  t.strictSame(pages, ['rgb(244, 245, 247)', 'rgb(14, 17, 22)']);
});

testWith(CHROMIUM, 'nothing moves for those who do not want it', async (t) => {
  const { page, sandbox } = await openPage(t, { reducedMotion: 'reduce' });
  const release = sandbox.hold();
  await page.getByRole('button', { name: 'Reload' }).first().click();
  await page.locator('.device .note.busy').waitFor();
  const animation = "getComputedStyle(document.querySelector('.note.busy'), '::before').animationName";
  t.equal(await page.evaluate(animation), 'none');
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  t.equal(await page.evaluate(animation), 'pulse');
  release();
});
