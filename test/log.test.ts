import t from 'tap';
import { createLog } from '../src/log.ts';
import { API_KEY, holdsNoSecret, SECRET, sign } from './helper.ts';

function logger(level = 'info') {
  const lines: string[] = [];
  const secrets = [API_KEY, SECRET];
  return { lines, log: createLog({ level, secrets }, { write: (line) => lines.push(line) }) };
}

t.test('fields that hold credentials are struck out wherever headers can stand', async (t) => {
  const { lines, log } = logger();
  const fields = { authorization: 'opaque', cookie: 'opaque', 'set-cookie': 'opaque', apikey: 'opaque' };
  log.info({ ...fields, headers: fields, req: { headers: fields }, err: { options: { headers: fields } } });
  t.notMatch(lines.join(), 'opaque');
  t.equal(lines.join().split('[redacted]').length - 1, 16);
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

t.test('lines below the level are left out', async (t) => {
  const { lines, log } = logger('warn');
  log.info('no');
  log.warn('yes');
  t.equal(lines.length, 1);
});
