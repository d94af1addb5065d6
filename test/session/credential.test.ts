import t from 'tap';
import { callerOf } from '../../src/base/caller.ts';
import { credentialOf } from '../../src/session/credential.ts';
import { build, callBytes, isProblem, sign } from '../helper.ts';

t.test('without a session there is a 401 that says how to send one', async (t) => {
  const { put, sandbox } = await build(t);
  const good = await sign();
  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'Bearer a b',
    'Bearer tok,en',
    `Basic Bearer ${good}`,
    `Bearer${good}`,
  ]) {
    const answer = await put({ tags: [] }, { authorization });
    isProblem(t, answer, 401, 'session-missing');
    t.equal(answer.headers.get('www-authenticate'), 'Bearer realm="cometchat-gateway"');
  }
  t.equal(sandbox.calls.length, 0);
});

t.test('a cookie of thousands of blanks is looked through once', async (t) => {
  const blanks = [' ', '\t', ' \t', '; '].map((text) => `a${text.repeat(15_000 / text.length)}b`);
  // Minutes, and a test that times out, where each blank begins a search of its own.
  for (let round = 0; round < 200; round += 1) {
    for (const cookie of blanks) {
      t.throws(() => credentialOf({ headersDistinct: { cookie: [cookie] } } as never, 'session'), {
        code: 'session-missing',
      });
    }
  }
});

t.test('the scheme may be written in any case', async (t) => {
  const { put } = await build(t);
  t.equal((await put({ tags: [] }, { authorization: `bearer ${await sign()}` })).status, 200);
});

t.test('two Authorization headers are refused, even if one of them is good', async (t) => {
  const { raw, sandbox } = await build(t);
  const reply = await raw(
    callBytes(
      'Connection: close',
      `Authorization: Bearer ${await sign()}`,
      'Authorization: Bearer other',
      'Content-Type: application/json',
    ),
  );
  t.match(reply, /^HTTP\/1.1 401 [\s\S]*"code":"session-invalid"/);
  t.equal(sandbox.calls.length, 0);
});

t.test('a request without any Authorization header', async (t) => {
  const { get } = await build(t);
  isProblem(t, await get('/me/conversations/tags', { method: 'PUT' }), 401, 'session-missing');
});

t.test('a route outside the signed-in scope has no caller, and fails closed', async (t) => {
  const { get } = await build(t, {}, { extend: (app) => app.get('/open', (request) => callerOf(request)) });
  isProblem(t, await get('/open'), 401, 'session-missing');
});

t.test('the session is asked for before the body is looked at', async (t) => {
  const { put } = await build(t);
  isProblem(
    t,
    await put('no json', { authorization: '', 'content-type': 'text/plain' }),
    401,
    'session-missing',
  );
});
