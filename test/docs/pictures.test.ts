import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import tap from 'tap';
import { testWith } from '../helpers/installed.ts';

// GitHub shows a picture as an image. It has no style but its own, and the colour scheme of the reader’s system.

const CHROMIUM = '/usr/bin/chromium';
/** WCAG 2.2, success criterion 1.4.3. */
const LEAST_CONTRAST = 4.5;
const SCHEMES = ['light', 'dark'] as const;

const ROOT = join(import.meta.dirname, '../..');
const pages = globSync(['*.md', '{bench,deploy,docs,client}/**/*.md'], {
  cwd: ROOT,
  exclude: ['**/node_modules'],
});
const pictures = new Set(
  pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/(?:\]\(|(?:src|srcset)=")([^)"\s]+\.svg)/g)].map(
      ([, path = '']) => join(ROOT, dirname(page), path),
    ),
  ),
);

/** What the test needs of an element of the page. */
interface Shape {
  readonly tagName: string;
  readonly textContent: string;
  readonly ownerDocument: {
    readonly defaultView: { getComputedStyle(shape: Shape): { readonly fill: string } };
    elementsFromPoint(x: number, y: number): Shape[];
  };
  getBoundingClientRect(): { left: number; right: number; top: number; bottom: number };
}

/** A text, or the whole picture, with the colours of the boxes behind its edges and its centre: '' where nothing is. */
interface Look {
  readonly text: string;
  readonly colour: string;
  readonly behind: string[];
  readonly isInOneBox: boolean;
}

/** Runs in the browser, so it takes nothing from outside. */
function look(elements: unknown[]): Look[] {
  return (elements as Shape[]).map((shape) => {
    const { ownerDocument: page, textContent: text } = shape;
    const fillOf = (one: Shape) => page.defaultView.getComputedStyle(one).fill;
    const isBox = (one: Shape) => ['rect', 'path'].includes(one.tagName) && fillOf(one) !== 'none';
    const { left, right, top, bottom } = shape.getBoundingClientRect();
    const [middle, centre] = [(top + bottom) / 2, (left + right) / 2];
    // Letters are less high than their line.
    const points: [x: number, y: number][] = [
      [left + 1, middle],
      [right - 1, middle],
      [centre, top + 3],
      [centre, bottom - 3],
      [centre, middle],
    ];
    const boxes = points.map(([x, y]) => page.elementsFromPoint(x, y).find(isBox));
    return {
      text,
      colour: fillOf(shape),
      behind: boxes.map((box) => (box ? fillOf(box) : '')),
      isInOneBox: new Set(boxes).size === 1,
    };
  });
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance; nothing but opaque colours has one. */
function luminance(colour: string): number {
  const channels = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(colour)?.slice(1) ?? [];
  const [red = Number.NaN, green = 0, blue = 0] = channels.map((channel) => {
    const part = Number(channel) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function schemeOf(background: string): (typeof SCHEMES)[number] | undefined {
  if (luminance(background) > 0.8) return 'light';
  return luminance(background) < 0.05 ? 'dark' : undefined;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

let browser: Promise<Browser> | undefined;
tap.teardown(async () => (await browser)?.close());

tap.test('the pages show pictures', async (t) => t.ok(pictures.size >= 4));

for (const picture of pictures) {
  testWith(
    CHROMIUM,
    `${picture.slice(ROOT.length + 1)} can be read in the light and in the dark`,
    async (t) => {
      browser ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
      const page = await (await browser).newPage({ viewport: { width: 1200, height: 1200 } });
      t.teardown(() => page.close());
      await page.goto(pathToFileURL(picture).href);
      t.match(await page.locator('svg > title').allTextContents(), [/\w/], 'it has a title');

      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        const [whole] = await page.locator('svg').evaluateAll(look);
        const edges = whole?.behind.slice(0, 4).map(schemeOf);
        t.strictSame(
          new Set(edges),
          new Set([colorScheme]),
          'it has a background of its own up to its edges',
        );
        const texts = await page.locator('text, tspan').evaluateAll(look);
        const split = texts.filter(({ isInOneBox }) => !isInOneBox).map(({ text }) => text);
        t.strictSame(split, [], 'each text lies in one box');
        const pale = texts.filter(
          ({ colour, behind }) => !behind.every((box) => contrast(colour, box) >= LEAST_CONTRAST),
        );
        t.strictSame(pale, [], `each text stands out in the ${colorScheme} scheme`);
      }
    },
  );
}
