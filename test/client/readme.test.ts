import { readFileSync } from 'node:fs';
import t from 'tap';
import { createClient, GatewayError } from '../../client/src/index.ts';
import { retryDelayMs } from '../../client/src/retry.ts';
import { startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';
import { installClient } from './consumer.ts';
import { version } from './version.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const snippetsOf = (text: string) => [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
const readme = read('client/README.md');
const snippets = snippetsOf(readme);

t.test('README.md has six snippets in 110 lines', async (t) => {
  t.equal(snippets.length, 6);
  t.ok(readme.split('\n').length - 1 <= 110);
});

t.test('it installs the package of this version', async (t) => {
  t.match(readme, `npm install <path>/dist/cometchat-gateway-client-${version}.tgz`);
  t.match(readme, 'npm ci && npm run client');
});

t.test('its numbers are those of the code', async (t) => {
  const words = readme.replaceAll(/\s+/g, ' ');
  const delays = t.capture(globalThis, 'setTimeout', setTimeout);
  const failure = new GatewayError('unreachable', 'failed', {});
  const waits = (random: number) => {
    t.intercept(Math, 'random', { value: () => random, configurable: true });
    return [1, 2, 3].map((attempt) => retryDelayMs(failure, attempt));
  };
  t.strictSame(waits(0), [200, 400, Number.POSITIVE_INFINITY]);
  t.strictSame(waits(1), [400, 800, Number.POSITIVE_INFINITY]);
  t.match(words, 'up to three attempts');
  t.match(words, 'waits 200 to 400 ms, then twice as long');

  const fetch = async () => new Response('', { status: 404 });
  const chat = createClient({ baseUrl: 'https://gateway.example', token: () => 'a', fetch });
  await chat.tags.get({ conversationWith: 'a' }).catch(() => {});
  t.strictSame(
    delays().map(({ args: [, ms] }) => ms),
    [10_000],
  );
  t.match(words, '`timeoutMs`, 10 seconds by default');
});

t.test(
  'its snippets compile and run, one after the other, and so does that of the other README.md',
  async (t) => {
    const { origin } = await startGateway(t);
    const { compile, run } = await installClient(t);
    const [token, cookie, ...others] = snippets;
    const session = `
const session = { token: () => '${await sign({ exp: 1 })}', refresh: async () => '${await sign()}' };
const shown: unknown[] = [];
const show = (...values: unknown[]) => shown.push(values);
`;
    const program = `${session}
const enableButton = () => {};
const newTag = '';
${token}
{
${cookie}
}
${others.join('\n')}
console.log(JSON.stringify({ tags, after: conversation.tags, shown }));
`;
    const at = (text: string) => text.replaceAll('https://chat-gateway.example.com', origin);
    t.strictSame(await compile('snippets.ts', at(program)), { code: 0, output: '' });
    const { code, output } = await run(process.execPath, 'snippets.js', {});
    t.equal(code, 0, output);
    const { shown, ...rest } = JSON.parse(output);
    t.strictSame(rest, { tags: ['pinned'], after: [] });
    t.match(shown, [
      [{ page: 1, perPage: 20, hasMore: false }],
      ['cometchat-uid-3_user_cometchat-uid-4', 1630305562],
      ['body-invalid', /^[\w-]{36}$/],
    ]);
    t.equal(shown.length, 3);

    const [call = ''] = snippetsOf(read('README.md'));
    t.match(call, 'createClient');
    t.strictSame(await compile('call.ts', session + call), { code: 0, output: '' });
  },
);
