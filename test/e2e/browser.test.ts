import type { Page } from 'playwright-core';
import { addSessionCookie, CHROMIUM, COOKIE, newContext, open, site } from '../helpers/browser.ts';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { OTHER, sign } from '../helpers/tokens.ts';

// A real browser decides here what a page may do: no header is set by hand that a page could not set.

/** What a page gets of a call: the status and the problem, or that the browser did not let it have any. */
interface Outcome {
  status?: number;
  code?: string | undefined;
  tags?: string[] | undefined;
  requestId?: string | null;
  blocked?: true;
}

/** Lets the page make the call. */
const call = (
  page: Page,
  gateway: string,
  init: { headers?: Record<string, string>; credentials?: 'include' },
) =>
  page.evaluate(
    async ({ gateway, init, other }): Promise<Outcome> => {
      try {
        const response = await fetch(`${gateway}/me/conversations/tags`, {
          method: 'PUT',
          body: JSON.stringify({ tags: ['archived'], conversationWith: other }),
          ...init,
          headers: { 'content-type': 'application/json', ...init.headers },
        });
        const { code, conversations } = (await response.json()) as {
          code?: string;
          conversations?: Outcome[];
        };
        const requestId = response.headers.get('x-request-id');
        return { status: response.status, code, tags: conversations?.[0]?.tags, requestId };
      } catch {
        return { blocked: true };
      }
    },
    { gateway, init, other: OTHER },
  );

testWith(CHROMIUM, 'a page of an allowed origin calls with a bearer token, another one cannot', async (t) => {
  const [app, evil] = [await site(t), await site(t)];
  const { port, sandbox } = await startGateway(t, { CORS_ORIGINS: app });
  const gateway = `http://localhost:${port}`;
  const context = await newContext(t);
  const bearer = { headers: { authorization: `Bearer ${await sign()}` } };

  const page = await open(context, app);
  t.match(await call(page, gateway, bearer), { status: 200, tags: ['archived'], requestId: /^[\w-]{36}$/ });
  t.match(await call(page, gateway, {}), { status: 401, code: 'session-missing' }, 'errors can be read, too');
  t.equal(sandbox.calls.length, 1);

  t.strictSame(await call(await open(context, evil), gateway, bearer), { blocked: true });
  t.equal(sandbox.calls.length, 1, 'the call was not even made');
});

testWith(CHROMIUM, 'a page of an allowed origin calls with the cookie, another one cannot', async (t) => {
  const [app, sibling, foreign] = [await site(t), await site(t), await site(t, '127.0.0.1')];
  const { port, sandbox, requests } = await startGateway(t, { CORS_ORIGINS: app, SESSION_COOKIE: COOKIE });
  const gateway = `http://localhost:${port}`;
  const context = await newContext(t);
  await addSessionCookie(context, gateway, await sign());
  const withHeader = { headers: { 'x-requested-with': 'fetch' }, credentials: 'include' } as const;

  const page = await open(context, app);
  t.match(await call(page, gateway, withHeader), { status: 200, tags: ['archived'] });
  const forgotten = await call(page, gateway, { credentials: 'include' });
  t.match(forgotten, { status: 403, code: 'csrf-rejected' }, 'the header is needed there, too');
  t.match(await call(page, gateway, { headers: withHeader.headers }), {
    status: 401,
    code: 'session-missing',
  });
  t.equal(sandbox.calls.length, 1);

  // The sibling is of the same site, so that the browser sends the cookie along: the gateway must refuse.
  for (const origin of [sibling, foreign]) {
    const attacker = await open(context, origin);
    t.strictSame(await call(attacker, gateway, withHeader), { blocked: true }, origin);
    t.strictSame(await call(attacker, gateway, { credentials: 'include' }), { blocked: true }, origin);
    // What needs no preflight: a form, and a request whose answer the page does not want.
    await attacker.setContent(
      `<form method="post" enctype="text/plain" action="${gateway}/me/conversations/tags"><input name='{"tags":[],"a":"' value='"}'></form>`,
    );
    await attacker.locator('form').evaluate((form) => (form as unknown as { submit(): void }).submit());
    await attacker.waitForURL(`${gateway}/**`);
    t.match(await attacker.textContent('body'), /"code":"method-not-allowed"/);
  }
  t.equal(sandbox.calls.length, 1, 'no call was made');
  t.notOk(requests().some(({ status }) => Number(status) >= 500));
});

testWith(
  CHROMIUM,
  'a page of the gateway’s own origin needs no CORS, and the header all the same',
  async (t) => {
    const { port, sandbox } = await startGateway(
      t,
      { SESSION_COOKIE: COOKIE },
      {
        extend: (app) =>
          app.get('/page', (_request, reply) => reply.type('text/html').send('<!doctype html>')),
      },
    );
    const gateway = `http://localhost:${port}`;
    const context = await newContext(t);
    await addSessionCookie(context, gateway, await sign());
    const page = await open(context, `${gateway}/page`);
    t.match(await call(page, gateway, { headers: { 'x-requested-with': 'fetch' } }), { status: 200 });
    t.match(await call(page, gateway, {}), { status: 403, code: 'csrf-rejected' });
    t.equal(sandbox.calls.length, 1);
  },
);
