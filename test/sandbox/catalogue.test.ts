import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { CATALOGUE, type Name } from '../../sandbox/catalogue.ts';
import type { Method } from '../../sandbox/faults.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { CALL, KEY, Line, sandboxed } from './sandboxed.ts';

const PATH = '/v3/users/cometchat-uid-2/conversation';
const TAGS = ['cometchat-uid-1', 'users', 'cometchat-uid-2'] as const;
const ENOUGH = 1_000_000;
/** For so long after the call has arrived nothing comes. */
const SILENCE_MS = 100;
type Outcome = { status?: number; headers?: http.IncomingHttpHeaders; body: string; ended: string };

/**
 * Makes a call with Node.js' own client, until it is clear how it ends.
 *
 * @param isSilent whether no reply is expected
 */
const send = (sandbox: Sandbox, method: Method, isSilent = false) =>
  new Promise<Outcome>((resolve) => {
    const outcome: Outcome = { body: '', ended: '' };
    const headers = { apikey: KEY, onBehalfOf: 'cometchat-uid-1' };
    const request = http.request(sandbox.origin + PATH, { method, agent: false, headers });
    const end = (ended: string) => {
      resolve({ ...outcome, ended });
      request.destroy();
    };
    if (isSilent) void sandbox.nextCall().then(() => setTimeout(end, SILENCE_MS, 'silent'));
    let hints = 0;
    let pieces = 0;
    request.on('error', ({ code }: NodeJS.ErrnoException) => end(code ?? ''));
    // All that Node.js tells of a 101; after others it comes before the response's error.
    request.on('close', () => setImmediate(end, 'closed'));
    request.on('information', () => {
      hints += 1;
      if (hints > 1000) end('endless');
    });
    request.on('response', (response) => {
      outcome.status = response.statusCode ?? 0;
      outcome.headers = response.headers;
      response.setEncoding('latin1').on('data', (data) => {
        outcome.body += data;
        pieces += 1;
        if (outcome.body.length > ENOUGH) end('endless');
        if (pieces > 2 && outcome.body.length < 10) end('dripping');
      });
      response
        .on('end', () => end('whole'))
        .on('error', ({ code }: NodeJS.ErrnoException) => end(code ?? ''));
    });
    request.end(method === 'PUT' ? '{"tags":["a"]}' : undefined);
  });

const error = (status: number, code: string, headers = {}) => ({
  status,
  headers,
  body: new RegExp(`private-uid-of-somebody.*"source":"chat-api","code":"${code}"`),
  ended: 'whole',
});
const busy = (headers: object) => error(429, 'ERR_TOO_MANY_REQUESTS', headers);
const reset = { body: '', ended: 'ECONNRESET' };

/** What a client sees of each. */
const SEEN: Record<Name, object> = {
  'reset-before-headers': reset,
  'reset-on-arrival': reset,
  'reset-in-body': { status: 200, ended: 'ECONNRESET' },
  silence: { body: '', ended: 'silent' },
  'first-byte-late': { body: '', ended: 'silent' },
  'body-drips': { status: 200, body: /^\{/, ended: 'dripping' },
  'body-cut-short': { status: 200, body: /^\{"data/, ended: 'ECONNRESET' },
  'bytes-after-body': { status: 200, ended: 'HPE_INVALID_CONSTANT' },
  'reply-nobody-asked-for': { status: 200, body: /group_cometchat-guid-1/, ended: 'whole' },
  'header-flood': { body: '', ended: 'HPE_HEADER_OVERFLOW' },
  'body-over-cap': { status: 200, ended: 'endless' },
  'gzip-bomb': { headers: { 'content-encoding': 'gzip' }, ended: 'whole' },
  'gzip-corrupt': { headers: { 'content-encoding': 'gzip' }, ended: 'whole' },
  redirect: { status: 307, headers: { location: /^https:\/\/elsewhere\.example\// }, body: '' },
  'informational-flood': { body: '', ended: 'endless' },
  'no-content-with-body': { status: 204, body: '', ended: 'HPE_INVALID_CONSTANT' },
  'not-modified-with-body': { status: 304, body: '', ended: 'HPE_INVALID_CONSTANT' },
  'switching-protocols': { body: '', ended: 'closed' },
  'broken-json': { status: 200, body: /[^}]$/, ended: 'whole' },
  html: { headers: { 'content-type': 'text/html' }, body: /^<!doctype html>/ },
  'wrong-content-type': { headers: { 'content-type': 'text/plain' }, body: /^\{.*\}$/ },
  bom: { status: 200, body: /^\xef\xbb\xbf\{/ },
  'field-missing': { status: 200, body: /^\{"data":\{"conversationType"/ },
  'field-extra': { status: 200, body: /"unheardOf"/ },
  'field-odd': { status: 200, body: /"tags":\{\}/ },
  'field-wrong-type': { status: 200, body: /"conversationId":7/ },
  'rate-limited-seconds': busy({ 'retry-after': '2' }),
  'rate-limited-date': busy({ 'retry-after': / GMT$/ }),
  'rate-limited-zero': busy({ 'retry-after': '0' }),
  'rate-limited-negative': busy({ 'retry-after': '-5' }),
  'rate-limited-huge': busy({ 'retry-after': '999999999999' }),
  'rate-limited-garbage': busy({ 'retry-after': 'soon' }),
  'rate-limited-reset-x-rate-limit': busy({ 'x-rate-limit-reset': /^\d{10}$/ }),
  'rate-limited-reset-x-ratelimit': busy({ 'x-ratelimit-reset': /^\d{10}$/ }),
  'status-500': error(500, 'ERR_EXCEPTION'),
  'status-502': error(502, 'ERR_BAD_ERROR_RESPONSE'),
  'status-503': error(503, 'ERR_BAD_ERROR_RESPONSE'),
  'status-504': error(504, 'ERR_BAD_ERROR_RESPONSE'),
  'origin-down': { status: 521, headers: { 'content-type': 'text/html' }, body: /^<!doctype html>/ },
  'origin-timeout': { status: 524, headers: { 'content-type': 'text/html' }, body: /^<!doctype html>/ },
  'transient-code': error(500, 'ERR_OPERATION_FAILED'),
  'key-refused': error(401, 'AUTH_ERR_APIKEY_NOT_FOUND'),
  'unknown-uid': error(404, 'ERR_UID_NOT_FOUND'),
  'unknown-guid': error(404, 'ERR_GUID_NOT_FOUND'),
  'unknown-conversation': error(404, 'ERR_CONVERSATION_NOT_ACCESSIBLE'),
  'applied-but-lost': reset,
};
const SILENT: ReadonlySet<string> = new Set<Name>(['silence', 'first-byte-late']);
/** The faults after which the write is done. */
const WRITTEN: ReadonlySet<string> = new Set<Name>([
  'reset-before-headers',
  'reset-in-body',
  'first-byte-late',
  'body-drips',
  'applied-but-lost',
]);

for (const name of Object.keys(CATALOGUE) as Name[]) {
  for (const method of ['PUT', 'GET'] as const) {
    t.test(`${name}, ${method}`, async (t) => {
      const { sandbox } = await sandboxed(t);
      sandbox.play(name, 1, method);
      t.match(await send(sandbox, method, SILENT.has(name)), SEEN[name]);
      t.same(sandbox.world.tags(...TAGS), WRITTEN.has(name) && method === 'PUT' ? ['a'] : []);
      t.equal(sandbox.received, 1);
      t.match(CATALOGUE[name].about, /\w/);
    });
  }
}

t.test('what is packed unpacks to very much, or not at all', async (t) => {
  const { sandbox } = await sandboxed(t);
  sandbox.play('gzip-bomb');
  sandbox.play('gzip-corrupt');
  const [bomb, corrupt] = [await send(sandbox, 'PUT'), await send(sandbox, 'PUT')];
  t.ok(bomb.body.length < 100_000);
  t.ok(gunzipSync(Buffer.from(bomb.body, 'latin1')).length > 64 * ENOUGH);
  t.throws(() => gunzipSync(Buffer.from(corrupt.body, 'latin1')));
});

t.test('times of day are some seconds ahead', async (t) => {
  const now = Date.UTC(2026, 0, 1);
  const headers = (name: Name) => CATALOGUE[name].faults(now)[0]?.headers;
  t.same(headers('rate-limited-date'), { 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' });
  t.same(headers('rate-limited-reset-x-rate-limit'), { 'X-Rate-Limit-Reset': String(now / 1000 + 3) });
  t.same(headers('rate-limited-reset-x-ratelimit'), { 'X-RateLimit-Reset': String(now / 1000 + 3) });
});

t.test('a reply that nobody asked for comes on the same connection', async (t) => {
  const { sandbox } = await sandboxed(t);
  sandbox.play('reply-nobody-asked-for');
  const line = new Line(t, sandbox);
  await line.gets('not-for-you');
  line.socket.write(CALL);
  await line.gets('cometchat-uid-1_user_cometchat-uid-2');
  t.equal(line.received.split('HTTP/1.1 200 OK').length, 4);
  t.equal(line.ended, '');
});
