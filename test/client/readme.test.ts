import { readFileSync } from 'node:fs';
import t from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';
import { installClient } from './consumer.ts';
import { version } from './version.ts';

const readme = readFileSync(new URL('../../client/README.md', import.meta.url), 'utf8');
const snippets = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

t.test('README.md has five snippets in 90 lines', async (t) => {
  t.equal(snippets.length, 5);
  t.ok(readme.split('\n').length - 1 <= 90);
});

t.test('it installs the package of this version', async (t) => {
  t.match(readme, `npm install ./cometchat-gateway-client-${version}.tgz`);
  t.match(readme, 'npm ci && npm run client');
});

t.test('its snippets compile and run, one after the other', async (t) => {
  const { origin } = await startGateway(t);
  const { compile, run } = await installClient(t);
  const [token, cookie, ...others] = snippets;
  const program = `
const session = { token: '${await sign({ exp: 1 })}', refresh: async () => '${await sign()}' };
const shown: unknown[] = [];
const show = (...values: unknown[]) => shown.push(values);
${token}
{
${cookie}
}
${others.join('\n')}
console.log(JSON.stringify({ tags, after: conversation.tags, shown }));
`;
  const source = program.replaceAll('https://chat-gateway.example.com', origin);
  t.strictSame(await compile('snippets.ts', source), { code: 0, output: '' });
  const { code, output } = await run(process.execPath, 'snippets.js', {});
  t.equal(code, 0, output);
  t.strictSame(JSON.parse(output), { tags: ['pinned'], after: [], shown: [] });
});
