import t from 'tap';
import { errorType } from '../../src/base/error-type.ts';

t.test('the log calls an error by its code, or by what ioredis and Redis say without one', async (t) => {
  const coded = Object.assign(new Error('private'), { code: 'ECONNREFUSED' });
  const cases: [unknown, string][] = [
    [coded, 'ECONNREFUSED'],
    [new Error('WRONGPASS invalid username-password pair'), 'WRONGPASS'],
    [new Error("NOPERM User gateway has no permissions to run the 'eval' command"), 'NOPERM'],
    [new Error("ERR ACL failure in script: User gateway has no permissions to run 'set'"), 'NOPERM'],
    [new Error('Command timed out'), 'timeout'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'disconnected'],
    [new Error('Connection is closed.'), 'disconnected'],
    [new TypeError('private'), 'TypeError'],
    ['private', 'unknown'],
    [undefined, 'unknown'],
  ];
  for (const [error, type] of cases) t.equal(errorType(error), type);
});
