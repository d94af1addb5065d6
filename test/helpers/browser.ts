import http from 'node:http';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import tap, { type Test } from 'tap';
import { listening } from './ports.ts';

export const CHROMIUM = '/usr/bin/chromium';
export const COOKIE = '__Host-session';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];

/** The path of a file in its site, and its JavaScript. */
export type Scripts = ReadonlyMap<string, string>;

/** A web server of empty pages, which is an origin of its own. It also has these scripts. */
export async function site(t: Test, host = 'localhost', scripts: Scripts = new Map()): Promise<string> {
  const server = http.createServer(({ url = '' }, response) => {
    const script = scripts.get(url);
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? '<!doctype html><title>A page</title>');
  });
  return `http://${host}:${await listening(t, server)}`;
}

let browser: Promise<Browser> | undefined;
tap.teardown(async () => (await browser)?.close());

/** What a user's browser keeps: its cookies, and no other test's. */
export async function newContext(t: Test, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  const context = await (await browser).newContext(options);
  t.teardown(() => context.close());
  return context;
}

/** Sets the session cookie as the company's own sign-in does: for this host alone, out of reach for scripts. */
export const addSessionCookie = (context: BrowserContext, gateway: string, value: string): Promise<void> =>
  context.addCookies([
    { name: COOKIE, value, url: gateway.replace('http:', 'https:'), httpOnly: true, sameSite: 'Lax' },
  ]);

export async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}
