import { randomBytes } from 'node:crypto';
import t from 'tap';
import { API_KEY, planted } from '../helpers/secrets.ts';
import { underLoad } from './under-load.ts';

const made = (): string => {
  const key = `key-${randomBytes(20).toString('hex')}`;
  planted.add(key);
  return key;
};

t.test(
  'the API key is rotated as docs/operations.md says, file by file or at once, and no call fails',
  async (t) => {
    const [old, second, third] = [API_KEY, made(), made()];
    const gateway = await underLoad(t, { COMETCHAT_API_KEY: old, COMETCHAT_API_KEY_SECONDARY: '' });
    const { sandbox, goesOn, signal, metric, end } = gateway;
    const keysInUse = async () => [
      await metric('api_key_in_use primary'),
      await metric('api_key_in_use secondary'),
    ];
    /** Writes these files, and checks what the log says of it. */
    const write = async (some: Record<string, string>) => {
      const changed = Object.keys(some);
      t.match(await signal(/the secrets have been replaced/, some), { changed });
      t.equal(await metric('secrets_stale'), 0);
      await goesOn(t);
    };
    await goesOn(t);

    sandbox.acceptKeys(old, second);
    await write({ COMETCHAT_API_KEY_SECONDARY: old });
    t.equal(sandbox.calls.at(-1)?.headers.apikey, old, 'both files have the same key');
    await write({ COMETCHAT_API_KEY: second });
    t.equal(sandbox.calls.at(-1)?.headers.apikey, second);
    t.strictSame(await keysInUse(), [1, 0]);
    sandbox.acceptKeys(second);
    await goesOn(t);
    await write({ COMETCHAT_API_KEY_SECONDARY: '' });

    t.comment('as Kubernetes swaps all files, with a new key that is mistyped');
    sandbox.acceptKeys(second, third);
    await write({ COMETCHAT_API_KEY: `x${third}`, COMETCHAT_API_KEY_SECONDARY: second });
    t.equal(sandbox.calls.at(-1)?.headers.apikey, second);
    t.strictSame(await keysInUse(), [0, 1]);
    await write({ COMETCHAT_API_KEY: third });
    t.equal(sandbox.calls.at(-1)?.headers.apikey, third);
    t.strictSame(await keysInUse(), [1, 0]);
    sandbox.acceptKeys(third);
    await goesOn(t);
    t.equal(await end(), 0);
  },
);
