import t from 'tap';
import { sign } from '../helpers/tokens.ts';
import { reasonOf, startClient, TARGET } from './front.ts';

// test/client/in-browser.test.ts has a real browser, whose cookie is out of reach for scripts.

const ENV = { SESSION_COOKIE: 'session', CORS_ORIGINS: 'https://app.example' };
/** What a browser adds to the request of a page. */
const asBrowser = (cookie: string, { headers, ...init }: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { ...headers, cookie, origin: 'https://app.example' },
});

t.test('without a source of tokens, the cookie goes along with the header against CSRF', async (t) => {
  const cookie = `session=${await sign()}`;
  const sent: (RequestInit | undefined)[] = [];
  const { chat, front } = await startClient(t, {
    env: ENV,
    token: undefined,
    fetch: (url, init) => {
      sent.push(init);
      return fetch(url, asBrowser(cookie, init));
    },
  });
  t.match(await chat.tags.add(TARGET, ['a']), { tags: ['a'] });
  t.match(sent, [{ credentials: 'include', redirect: 'error' }]);
  t.match(front.seen, [{ headers: { 'x-requested-with': 'fetch', authorization: undefined } }]);
});

t.test('there is nothing to refresh in an expired cookie', async (t) => {
  const cookie = `session=${await sign({ exp: 1 })}`;
  const { chat, front } = await startClient(t, {
    env: ENV,
    token: undefined,
    fetch: (url, init) => fetch(url, asBrowser(cookie, init)),
  });
  t.match(await reasonOf(chat.tags.get(TARGET)), { code: 'session-expired' });
  t.equal(front.seen.length, 1);
});
