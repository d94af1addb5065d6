import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { BrowserContext } from 'playwright-core';
import type { Test } from 'tap';
import type { Client } from '../../client/src/index.ts';
import { addSessionCookie, CHROMIUM, COOKIE, newContext, open, site } from '../helpers/browser.ts';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { sign } from '../helpers/tokens.ts';

// The page is on another origin than the gateway, so that CORS is real.

const SRC = new URL('../../client/src/', import.meta.url);

/** The client, one file after the other, without its types. */
const scripts = new Map(
  readdirSync(SRC).map((file) => [
    `/${file}`,
    stripTypeScriptTypes(readFileSync(new URL(file, SRC), 'utf8')),
  ]),
);

/** Opens a page, and lets it use the client with this token, or with its cookie. */
async function useClient(context: BrowserContext, app: string, baseUrl: string, token?: string) {
  const page = await open(context, app);
  return page.evaluate(
    async ({ app, baseUrl, token }) => {
      const { createClient } = await import(`${app}/index.ts`);
      const chat: Client = createClient({ baseUrl, ...(token !== undefined && { token: () => token }) });
      const target = { conversationWith: 'cometchat-uid-3' };
      const failure = (error: { code: string; requestId: string; retryAfterSeconds?: number }) => ({
        code: error.code,
        requestId: error.requestId,
        retryAfterSeconds: error.retryAfterSeconds,
      });
      const pages = [];
      try {
        await chat.tags.set(target, ['archived']);
        const { tags } = await chat.tags.change(target, { add: ['vip'], remove: ['archived'] });
        for await (const { pagination } of chat.conversations.list({ tags: ['vip'] })) pages.push(pagination);
        return { tags, pages, refused: await chat.tags.set(target, ['']).catch(failure) };
      } catch (error) {
        return failure(error as Parameters<typeof failure>[0]);
      }
    },
    { app, baseUrl, token },
  );
}

const DONE = {
  tags: ['vip'],
  pages: [{ page: 1, perPage: 50, hasMore: false }],
  refused: { code: 'body-invalid', requestId: /^[\w-]{36}$/ },
};

async function start(t: Test, env: Record<string, string> = {}) {
  const app = await site(t, 'localhost', scripts);
  const { port, sandbox } = await startGateway(t, { CORS_ORIGINS: app, ...env });
  return { app, gateway: `http://localhost:${port}`, sandbox, context: await newContext(t) };
}

testWith(CHROMIUM, 'a page of another origin uses the client with a token', async (t) => {
  const { app, gateway, context } = await start(t);
  t.match(await useClient(context, app, gateway, await sign()), DONE);
});

testWith(CHROMIUM, 'it uses it with the session cookie, and the client sends the CSRF header', async (t) => {
  const { app, gateway, context } = await start(t, { SESSION_COOKIE: COOKIE });
  t.match(await useClient(context, app, gateway), { code: 'session-missing' });
  await addSessionCookie(context, gateway, await sign());
  t.match(await useClient(context, app, gateway), DONE);
});

testWith(CHROMIUM, 'with a token, it leaves the cookie at home', async (t) => {
  const { app, gateway, context } = await start(t, { SESSION_COOKIE: COOKIE });
  await addSessionCookie(context, gateway, await sign());
  t.match(await useClient(context, app, gateway, await sign()), DONE);
});

testWith(CHROMIUM, 'a page can read Retry-After', async (t) => {
  const { app, gateway, context } = await start(t, { RATE_LIMIT_PER_MINUTE: '1' });
  const outcome = await useClient(context, app, gateway, await sign());
  t.match(outcome, { code: 'rate-limited', requestId: /^[\w-]{36}$/ });
  t.ok(Number((outcome as { retryAfterSeconds: number }).retryAfterSeconds) > 0);
});

testWith(CHROMIUM, 'a page whose origin is not allowed reaches nothing', async (t) => {
  const { gateway, context, sandbox } = await start(t);
  const evil = await site(t, 'localhost', scripts);
  t.match(await useClient(context, evil, gateway, await sign()), { code: 'unreachable' });
  t.equal(sandbox.calls.length, 0);
});
