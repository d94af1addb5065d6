import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { CATALOGUE, type Name } from '../../sandbox/catalogue.ts';
import { CALL, KEY, Line, sandboxed } from '../../sandbox/sandboxed.ts';
import type { Sandbox } from '../../sandbox/server.ts';

const PATH = '/v3/users/cometchat-uid-2/conversation';
const TAGS = ['cometchat-uid-1', 'users', 'cometchat-uid-2'] as const;
const ENOUGH = 1_000_000;
type Outcome = { status?: number; headers?: http.IncomingHttpHeaders; body: string; ended: string };

/** Makes a call with Node.js' own client, for some ms or a megabyte. */
const put = (sandbox: Sandbox, forMs: number) =>
  new Promise<Outcome>((resolve) => {
    const outcome: Outcome = { body: '', ended: '' };
    const headers = { apikey: KEY, onBehalfOf: 'cometchat-uid-1' };
    const request = http.request(sandbox.origin + PATH, { method: 'PUT', agent: false, headers });
    const end = (ended: string) => {
      clearTimeout(timer);
      resolve({ ...outcome, ended });
      request.destroy();
    };
    const timer = setTimeout(end, forMs, 'late');
    request.on('error', ({ code }: NodeJS.ErrnoException) => end(code ?? ''));
    // All that Node.js tells of a 101; after others it comes before the response's error.
    request.on('close', () => setImmediate(end, 'closed'));
    request.on('response', (response) => {
      outcome.status = response.statusCode ?? 0;
      outcome.headers = response.headers;
      response.setEncoding('latin1').on('data', (data) => {
        outcome.body += data;
        if (outcome.body.length > ENOUGH) end('endless');
      });
      response
        .on('end', () => end('whole'))
        .on('error', ({ code }: NodeJS.ErrnoException) => end(code ?? ''));
    });
    request.end('{"tags":["a"]}');
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
  '06-reset-before-headers': reset,
  '07-reset-on-arrival': reset,
  '08-reset-in-body': { status: 200, ended: 'ECONNRESET' },
  '09-silence': { body: '', ended: 'late' },
  '10-first-byte-late': { body: '', ended: 'late' },
  '11-body-drips': { status: 200, body: /^\{/, ended: 'late' },
  '12-body-cut-short': { status: 200, body: /^\{"data/, ended: 'ECONNRESET' },
  '13-bytes-after-body': { status: 200, ended: 'HPE_INVALID_CONSTANT' },
  '13-reply-nobody-asked-for': { status: 200, body: /group_cometchat-guid-1/, ended: 'whole' },
  '14-header-flood': { body: '', ended: 'HPE_HEADER_OVERFLOW' },
  '15-body-over-cap': { status: 200, ended: 'endless' },
  '16-gzip-bomb': { headers: { 'content-encoding': 'gzip' }, ended: 'whole' },
  '16-gzip-corrupt': { headers: { 'content-encoding': 'gzip' }, ended: 'whole' },
  '17-redirect': { status: 307, headers: { location: /^https:\/\/elsewhere\.example\// }, body: '' },
  '18-1xx-flood': { body: '', ended: 'late' },
  '18-204-with-body': { status: 204, body: '', ended: 'HPE_INVALID_CONSTANT' },
  '18-304-with-body': { status: 304, body: '', ended: 'HPE_INVALID_CONSTANT' },
  '18-switching-protocols': { body: '', ended: 'closed' },
  '19-broken-json': { status: 200, body: /[^}]$/, ended: 'whole' },
  '19-html': { headers: { 'content-type': 'text/html' }, body: /^<!doctype html>/ },
  '19-wrong-content-type': { headers: { 'content-type': 'text/plain' }, body: /^\{.*\}$/ },
  '19-bom': { status: 200, body: /^\xef\xbb\xbf\{/ },
  '20-field-missing': { status: 200, body: /^\{"data":\{"conversationType"/ },
  '20-field-extra': { status: 200, body: /"unheardOf"/ },
  '20-field-wrong-type': { status: 200, body: /"conversationId":7/ },
  '21-429-seconds': busy({ 'retry-after': '2' }),
  '21-429-date': busy({ 'retry-after': / GMT$/ }),
  '21-429-zero': busy({ 'retry-after': '0' }),
  '21-429-negative': busy({ 'retry-after': '-5' }),
  '21-429-huge': busy({ 'retry-after': '999999999999' }),
  '21-429-garbage': busy({ 'retry-after': 'soon' }),
  '21-429-reset-x-rate-limit': busy({ 'x-rate-limit-reset': /^\d{10}$/ }),
  '21-429-reset-x-ratelimit': busy({ 'x-ratelimit-reset': /^\d{10}$/ }),
  '22-500': error(500, 'ERR_EXCEPTION'),
  '22-502': error(502, 'ERR_BAD_ERROR_RESPONSE'),
  '22-503': error(503, 'ERR_BAD_ERROR_RESPONSE'),
  '22-504': error(504, 'ERR_BAD_ERROR_RESPONSE'),
  '22-transient-code': error(500, 'ERR_OPERATION_FAILED'),
  '23-key-refused': error(401, 'AUTH_ERR_APIKEY_NOT_FOUND'),
  '24-uid': error(404, 'ERR_UID_NOT_FOUND'),
  '24-guid': error(404, 'ERR_GUID_NOT_FOUND'),
  '24-conversation': error(404, 'ERR_CONVERSATION_NOT_ACCESSIBLE'),
  '25-applied-but-lost': reset,
};
const WRITES = /^(06|08|10|11|25)-/;
const LATE = /^(09|10|11)-|1xx/;

for (const name of Object.keys(SEEN) as Name[]) {
  t.test(name, async (t) => {
    const { sandbox } = await sandboxed(t);
    sandbox.play(name);
    const outcome = await put(sandbox, LATE.test(name) ? 80 : 5000);
    t.match(outcome, SEEN[name]);
    t.same(sandbox.world.tags(...TAGS), WRITES.test(name) ? ['a'] : []);
    t.equal(sandbox.received, 1);
    t.match(CATALOGUE[name].about, /\w/);
  });
}

t.test('what is packed unpacks to very much, or not at all', async (t) => {
  const { sandbox } = await sandboxed(t);
  sandbox.play('16-gzip-bomb');
  sandbox.play('16-gzip-corrupt');
  const [bomb, corrupt] = [await put(sandbox, 5000), await put(sandbox, 5000)];
  t.ok(bomb.body.length < 100_000);
  t.ok(gunzipSync(Buffer.from(bomb.body, 'latin1')).length > 64 * ENOUGH);
  t.throws(() => gunzipSync(Buffer.from(corrupt.body, 'latin1')));
});

t.test('times of day are some seconds ahead', async (t) => {
  const now = Date.UTC(2026, 0, 1);
  const headers = (name: Name) => CATALOGUE[name].faults(now)[0]?.headers;
  t.same(headers('21-429-date'), { 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' });
  t.same(headers('21-429-reset-x-rate-limit'), { 'X-Rate-Limit-Reset': String(now / 1000 + 3) });
  t.same(headers('21-429-reset-x-ratelimit'), { 'X-RateLimit-Reset': String(now / 1000 + 3) });
});

t.test('a reply that nobody asked for comes on the same connection', async (t) => {
  const { sandbox } = await sandboxed(t);
  sandbox.play('13-reply-nobody-asked-for');
  const line = new Line(t, sandbox);
  await line.gets('not-for-you');
  line.socket.write(CALL);
  await line.gets('cometchat-uid-1_user_cometchat-uid-2');
  t.equal(line.received.split('HTTP/1.1 200 OK').length, 4);
  t.equal(line.ended, '');
});
