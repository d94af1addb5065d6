import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROBLEMS } from '../../src/base/problems.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer } from '../helpers/tokens.ts';
import { installClient } from './consumer.ts';
import { version } from './version.ts';

t.test('the client has the version and the licence of the gateway', async (t) => {
  const [ours, clients] = ['package.json', 'client/package.json'].map((file) =>
    JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')),
  );
  t.equal(clients.version, version);
  t.equal(clients.license, ours.license);
  t.notOk(clients.dependencies, 'and no dependencies');
});

const cases = [...Object.keys(PROBLEMS), 'unreachable', 'timeout', 'unknown-reply'];
/** Each line below a @ts-expect-error must be an error, and no other line may be one. */
const TYPED = `
import { createClient, type Client, type Conversation, GatewayError, type GatewayErrorCode, type Problem } from 'cometchat-gateway-client';

const chat: Client = createClient({ baseUrl: 'https://gateway.example', token: async () => 'a' });
const target = { conversationWith: 'a' };

export function textOf(code: GatewayErrorCode): string {
  switch (code) {
${cases.map((code) => `    case '${code}': return 'a';`).join('\n')}
    default: return code satisfies never;
  }
}

export function nameOf({ conversationWith: other }: Conversation): string {
  return 'uid' in other ? other.uid : other.guid;
}

export const faults = (problem: Problem) =>
  problem.errors?.map((one) => ('pointer' in one ? one.pointer : one.parameter));

export async function use(signal?: AbortSignal, timeoutMs?: number): Promise<string[] | undefined> {
  const { tags } = await chat.tags.set(target, ['a'] as const, { signal, timeoutMs });
  for await (const { conversations, pagination } of chat.conversations.list()) {
    nameOf(conversations[0] as Conversation).at(pagination.page);
  }
  return tags;
}

createClient({ baseUrl: 'a', fetch: globalThis.fetch, token: (refused?: GatewayError) => String(refused?.status) });

// @ts-expect-error
createClient({});
// @ts-expect-error
createClient({ baseUrl: 'a', token: 'a' });
// @ts-expect-error
chat.tags.set('a', ['a']);
// @ts-expect-error
chat.tags.set(target, 'a');
// @ts-expect-error
chat.tags.get({ ...target, conversationType: 'channel' });
// @ts-expect-error
chat.tags.change(target, { added: ['a'] });
// @ts-expect-error
chat.conversations.page({ perpage: 1 });
// @ts-expect-error
new GatewayError('no-code', 'a', {});
`;

const PROGRAM = `
import { createClient, GatewayError } from 'cometchat-gateway-client';

const { BASE_URL: baseUrl, TOKEN } = process.env;
const chat = createClient({ baseUrl, token: () => TOKEN, timeoutMs: 600_000 });
const target = { conversationWith: 'cometchat-uid-3' };
await chat.tags.set(target, ['a']);
const { tags } = await chat.tags.add(target, ['b']);
const pages = [];
for await (const { pagination } of chat.conversations.list({ tags: ['b'] })) pages.push(pagination.page);
const error = await chat.tags.set(target, ['']).catch((reason) => reason);
const isError = error instanceof GatewayError;
console.log(JSON.stringify({ tags, pages, code: error.code, isError }));
`;

/** The Node.js of the system, which is older than the gateway's where it is there, and the one that runs the tests. */
const NODES = ['/usr/bin/node', process.execPath].filter(
  (node) => Number.parseInt(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.slice(1), 10) >= 20,
);

t.test('npm run client makes a package that can be installed and used', async (t) => {
  const { modules, compile, run } = await installClient(t);
  const files = readdirSync(modules);
  for (const name of ['README.md', 'LICENSE', 'package.json']) t.ok(files.includes(name), name);
  const others = files.filter((name) => /\.ts$/.test(name) && !/\.d\.ts$/.test(name));
  t.strictSame(others, [], 'no source');
  for (const name of files.filter((file) => /\.(?:d\.ts|js)$/.test(file))) {
    t.notMatch(readFileSync(join(modules, name), 'utf8'), /from '[^']*\.ts'/, name);
  }

  t.test('its types check what calls it', async (t) => {
    for (const options of [[], ['--module', 'esnext', '--moduleResolution', 'bundler']]) {
      t.strictSame(await compile('typed.ts', TYPED, '--noEmit', ...options), { code: 0, output: '' });
    }
    const common =
      "export const client = async () => (await import('cometchat-gateway-client')).createClient;";
    const loaded = await compile('common.cts', common, '--module', 'node16', '--moduleResolution', 'node16');
    t.strictSame(loaded, { code: 0, output: '' }, 'CommonJS can load it');
    const { output } = await compile('wrong.ts', TYPED.replace("    case 'superseded': return 'a';\n", ''));
    t.match(output, /^wrong\.ts\(\d+,\d+\): error TS1360: Type '"superseded"'/, 'a code is missing');
  });

  for (const node of NODES) {
    t.test(`it runs on ${node}`, async (t) => {
      const { origin } = await startGateway(t);
      await compile('program.js', PROGRAM, '--allowJs', '--noEmit');
      const { authorization } = await bearer();
      const result = await run(node, 'program.js', {
        BASE_URL: origin,
        TOKEN: authorization.slice('Bearer '.length),
      });
      const output = { tags: ['a', 'b'], pages: [1], code: 'body-invalid', isError: true };
      // A timer that was left behind would keep the program for ten minutes.
      t.strictSame(result, { code: 0, output: `${JSON.stringify(output)}\n` });
    });
  }
});
