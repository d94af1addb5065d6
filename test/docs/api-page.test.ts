import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { testWith } from '../helpers/installed.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const OPERATIONS = ['Read the tags of', 'Replace the tags of', 'Add and remove single tags of', 'List my'];

testWith(
  CHROMIUM,
  'the page of npm run docs:api shows every operation, and asks no other host',
  async (t) => {
    const page = `${t.testdir({})}/api.html`;
    const script: string = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).scripts['docs:api'];
    await promisify(execFile)('sh', ['-c', script.replace('dist/api.html', page)], {
      cwd: root,
      env: { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH}` },
    });
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu'],
    });
    t.teardown(() => browser.close());
    const tab = await browser.newPage();
    const asked: string[] = [];
    const thrown: unknown[] = [];
    await tab.route(/^https?:/, (route) => {
      asked.push(route.request().url());
      return route.abort();
    });
    tab.on('pageerror', (error) => thrown.push(error));
    await tab.goto(pathToFileURL(page).href);
    await tab.getByText('+ Show').first().click();
    // What is out of sight is drawn only when somebody goes there.
    for (const title of OPERATIONS) {
      await tab.getByRole('link', { name: title }).first().click();
      await tab.getByRole('heading', { name: title }).waitFor();
    }
    t.match(await tab.innerText('body'), /RateLimit-Policy/, 'with what each answers');
    t.strictSame({ asked, thrown }, { asked: [], thrown: [] });
  },
);
