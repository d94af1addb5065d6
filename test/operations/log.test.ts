import t from 'tap';
import { createLog, errorType } from '../../src/operations/log.ts';
import { API_KEY, holdsNoSecret, SECRET, sign } from '../helper.ts';

function logger(level = 'info') {
  const lines: string[] = [];
  const secrets = { current: [API_KEY, SECRET] };
  return { lines, log: createLog({ level, secrets }, { write: (line) => lines.push(line) }) };
}

t.test('fields that hold credentials are struck out wherever headers can stand', async (t) => {
  const { lines, log } = logger();
  const fields = {
    authorization: 'opaque',
    cookie: 'opaque',
    'set-cookie': 'opaque',
    apikey: 'opaque',
    token: 'opaque',
    secret: 'opaque',
  };
  log.info({ ...fields, headers: fields, req: { headers: fields }, call: { options: { headers: fields } } });
  t.notMatch(lines.join(), 'opaque');
  t.equal(lines.join().split('[redacted]').length - 1, 24);
});

const CREDENTIALS = ['authorization', 'cookie', 'set-cookie', 'apikey', 'apiKey', 'token', 'secret'];

t.test('a credential is struck out in whatever form it is, and the rest of the line stays', async (t) => {
  const forms = [
    'opaque',
    'opaque "opaque"',
    'opaque\\',
    '\\"opaque',
    'opaque\n,}]',
    ['opaque', 'opaque]', '"opaque"', '[opaque', '\\", opaque]'],
    [{ a: 'opaque' }, { b: 'opaque]' }],
    { a: 'opaque', 'b}': '"opaque}', 'c"': 'opaque\\', d: ['opaque', 'opaque]}'], e: 1 },
    [['opaque'], ['opaque']],
    [{ a: ['opaque'] }, 'opaque'],
    { a: { b: 'opaque' }, c: 'opaque' },
    7,
    null,
    '',
    [],
    {},
  ];
  for (const field of CREDENTIALS) {
    for (const form of forms) {
      const { lines, log } = logger();
      log.child({ before: 'kept' }).info({ a: 'kept', [field]: form, z: ['kept'] }, 'kept');
      const { level, time, ...line } = JSON.parse(lines.join());
      t.strictSame(line, { before: 'kept', a: 'kept', [field]: '[redacted]', z: ['kept'], msg: 'kept' });
    }
  }
});

t.test('at any depth, in lists and in what a logger adds to all its lines', async (t) => {
  const { lines, log } = logger();
  let deep: unknown = Object.fromEntries(CREDENTIALS.map((field) => [field, 'opaque']));
  for (let depth = 0; depth < 20; depth += 1) deep = { token: 'opaque', deeper: depth % 2 ? [deep] : deep };
  log.child({ headers: { cookie: ['opaque'] }, token: { a: 'opaque' } }).info({ deep, apiKey: 'opaque' });
  t.ok(JSON.parse(lines.join()));
  t.notMatch(lines.join(), 'opaque');
  t.equal(lines.join().split('[redacted]').length - 1, 20 + CREDENTIALS.length + 3);
});

t.test('what only looks like a credential is left', async (t) => {
  const { lines, log } = logger();
  const fields = {
    tokens: 'kept',
    'a token': 'kept',
    text: '{"token":"kept"}',
    list: ['token', 'kept', 'secret'],
  };
  log.info(fields, '"token":"kept"');
  const { level, time, ...line } = JSON.parse(lines.join());
  t.strictSame(line, { ...fields, msg: '"token":"kept"' });
});

t.test('a credential of any length is looked through once', async (t) => {
  const { lines, log } = logger();
  const long = '\\"]}opaque'.repeat(200_000);
  // Seconds, and a test that times out, or an error of the stack's, where a form is looked for in more than one way.
  log.info({
    token: long,
    secret: [long, long],
    cookie: { a: long },
    apikey: { a: long, b: { c: 'other' } },
  });
  t.match(JSON.parse(lines.join()), { token: '[redacted]', secret: '[redacted]', cookie: '[redacted]' });
});

t.test('a secret is struck out of any text that holds it', async (t) => {
  const { lines, log } = logger();
  log.info({ url: `https://x/${API_KEY}`, list: [SECRET] }, `key ${API_KEY}`);
  log.error(new Error(`refused ${SECRET}`));
  holdsNoSecret(t, lines.join());
  t.match(lines[0], 'key [redacted]');
  for (const line of lines) t.ok(JSON.parse(line));
});

t.test('a session token is struck out of any text that holds it', async (t) => {
  const { lines, log } = logger();
  const token = await sign();
  log.info(`token ${token}`);
  t.match(JSON.parse(lines[0] ?? ''), { level: 'info', msg: 'token [redacted]' });
});

t.test('of two secrets the longer one is struck out whole', async (t) => {
  const lines: string[] = [];
  const config = { level: 'info', secrets: { current: ['prefix-of-it', 'prefix-of-it-and-more'] } };
  createLog(config, { write: (line) => lines.push(line) }).info('prefix-of-it-and-more');
  t.match(lines[0], '"msg":"[redacted]"');
});

t.test('a secret too short to be one does not garble the log', async (t) => {
  const lines: string[] = [];
  createLog({ level: 'info', secrets: { current: ['e'] } }, { write: (line) => lines.push(line) }).info(
    'hello',
  );
  t.match(lines[0], '"msg":"hello"');
});

t.test('an error is logged without the properties that others have put on it', async (t) => {
  const { lines, log } = logger();
  const cause = Object.assign(new Error('inner'), { code: 'EINNER' });
  const error = Object.assign(new TypeError('outer', { cause }), {
    options: { headers: { 'x-key': 'opaque' } },
    rawPacket: Buffer.from('opaque'),
    url: new URL('http://opaque.example'),
  });
  log.error({ err: error }, 'failed');
  log.error({ err: 'no error at all' });
  t.match(JSON.parse(lines[0] ?? ''), {
    err: {
      type: 'TypeError',
      message: 'outer',
      stack: /log\.test/,
      cause: { message: 'inner', code: 'EINNER' },
    },
  });
  t.notMatch(lines[0], 'opaque');
  t.match(lines[1], '"err":"no error at all"');
});

t.test('a line that looks like many tokens is looked through once', async (t) => {
  const { lines, log } = logger();
  // Seconds, and a test that times out, where each "eyJ" begins a search of its own.
  log.info('eyJ9'.repeat(500_000));
  t.equal(lines.length, 1);
});

t.test('lines below the level are left out', async (t) => {
  const { lines, log } = logger('warn');
  log.info('no');
  log.warn('yes');
  t.equal(lines.length, 1);
});

t.test('an error has a name in the log that quotes nothing of it', async (t) => {
  const type = (message: string, code = {}) => errorType(Object.assign(new Error(message), code));
  t.equal(type('connect ECONNREFUSED', { code: 'ECONNREFUSED' }), 'ECONNREFUSED');
  t.equal(type('WRONGPASS invalid username-password pair'), 'WRONGPASS');
  t.equal(type('Command timed out'), 'timeout');
  t.equal(type('Socket timeout. Expecting data'), 'timeout');
  t.equal(type("Stream isn't writeable and enableOfflineQueue options is false"), 'disconnected');
  t.equal(type('Connection is closed.'), 'disconnected');
  t.equal(type('Whatever it is'), 'Error');
  t.equal(errorType('no error'), 'unknown');
});
