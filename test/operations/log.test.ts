import t from 'tap';
import { errorType } from '../../src/base/error-type.ts';
import { createLog } from '../../src/operations/log.ts';
import { API_KEY, holdsNoSecret, SECRET } from '../helpers/secrets.ts';
import { sign } from '../helpers/tokens.ts';

function logger(level = 'info') {
  const lines: string[] = [];
  const secrets = { current: [API_KEY, SECRET] };
  return { lines, log: createLog({ level, secrets }, { write: (line) => lines.push(line) }) };
}

t.test('a credential is struck out at any depth, and in what a logger adds to all its lines', async (t) => {
  const { lines, log } = logger();
  let deep: unknown = { value: API_KEY, [API_KEY]: 'kept' };
  for (let depth = 0; depth < 20; depth += 1) deep = { secret: SECRET, deeper: depth % 2 ? [deep] : deep };
  log.child({ headers: { cookie: [`a=${SECRET}`] } }).info({ deep, other: { a: 'kept' } }, 'kept');
  holdsNoSecret(t, lines.join());
  t.equal(lines.join().split('[redacted]').length - 1, 20 + 2 + 1);
  t.match(JSON.parse(lines.join()), {
    headers: { cookie: ['a=[redacted]'] },
    other: { a: 'kept' },
    msg: 'kept',
  });
});

t.test('a field is not struck out for its name alone', async (t) => {
  const { lines, log } = logger();
  const fields = { token: 'kept', secret: ['kept'], tokens: 'kept', text: '{"token":"kept"}' };
  log.info(fields, '"token":"kept"');
  const { level, time, ...line } = JSON.parse(lines.join());
  t.strictSame(line, { ...fields, msg: '"token":"kept"' });
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
