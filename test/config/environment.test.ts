import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { API_KEY, environment, faultsOf, SECRET } from '../helper.ts';

const withFile = (t: Test, content: string) => {
  const file = join(t.testdir(), 'secret');
  writeFileSync(file, content);
  return { ...environment('https://chat.example'), COMETCHAT_API_KEY: '', COMETCHAT_API_KEY_FILE: file };
};

t.test('a secret comes from the file that NAME_FILE names, without its last line break', async (t) => {
  t.strictSame(loadConfig(withFile(t, `${API_KEY}\r\n`)).cometchat.apiKeys.current, [API_KEY]);
});

t.test('session secrets come from a file too', async (t) => {
  const file = join(t.testdir(), 'secret');
  writeFileSync(file, SECRET);
  const env = { ...environment('https://chat.example'), SESSION_SECRET: '', SESSION_SECRET_FILE: file };
  t.match(loadConfig(env).session, { kind: 'secret', secrets: { current: [SECRET] } });
});

t.test('the address of Redis comes from a file too, for the password in it', async (t) => {
  const file = join(t.testdir(), 'redis');
  writeFileSync(file, 'redis://:password@h');
  const env = { ...environment('https://chat.example'), REDIS_URL_FILE: file };
  t.strictSame(loadConfig(env).redisUrl, { current: 'redis://:password@h' });
});

t.test('a secret that cannot be read is one fault, and not missing besides', async (t) => {
  const env = { ...environment('https://chat.example'), SESSION_SECRET: '', SESSION_SECRET_FILE: '/nowhere' };
  t.strictSame(faultsOf(env), ['SESSION_SECRET_FILE: must name a readable file (ENOENT)']);
});

t.test('a secret of raw bytes is refused', async (t) => {
  const file = join(t.testdir(), 'secret');
  writeFileSync(file, Buffer.alloc(32, 0xff));
  const env = { ...environment('https://chat.example'), SESSION_SECRET: '', SESSION_SECRET_FILE: file };
  t.match(faultsOf(env), [/^SESSION_SECRET_FILE: must name a file of text/]);
});

t.test('an empty NAME_FILE counts as unset', async (t) => {
  const env = { ...environment('https://chat.example'), COMETCHAT_API_KEY_FILE: '' };
  t.strictSame(loadConfig(env).cometchat.apiKeys.current, [API_KEY]);
});

t.test('a secret given twice is a fault', async (t) => {
  t.strictSame(faultsOf({ ...withFile(t, API_KEY), COMETCHAT_API_KEY: API_KEY }), [
    'COMETCHAT_API_KEY_FILE: must not be set beside COMETCHAT_API_KEY; unset one of the two',
  ]);
});

t.test('an empty file and a missing one are faults', async (t) => {
  t.strictSame(faultsOf(withFile(t, '\n')), ['COMETCHAT_API_KEY_FILE: must not name an empty file']);
  const gone = { ...withFile(t, API_KEY), COMETCHAT_API_KEY_FILE: join(t.testdir(), 'gone') };
  t.strictSame(faultsOf(gone), ['COMETCHAT_API_KEY_FILE: must name a readable file (ENOENT)']);
});
