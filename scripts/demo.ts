// npm run demo: the sandbox, the gateway, and three real requests through both, the first one shown from end to end.
import { randomBytes } from 'node:crypto';
import { parseArgs, styleText } from 'node:util';
import { fastify } from 'fastify';
import { prettyFactory } from 'pino-pretty';
import { type Call, Sandbox } from '../sandbox/server.ts';
import { gateway, serverOptions } from '../src/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { createLog } from '../src/operations/log.ts';
import { signSession } from './sign-session.ts';

const { once } = parseArgs({ options: { once: { type: 'boolean', default: false } } }).values;
const WIDTH = 96;
const user = 'cometchat-uid-4';
const conversationWith = 'cometchat-uid-3';
const TAGS = '/me/conversations/tags';
const replace = { tags: ['archived', 'vip'], conversationWith };
const change = { add: ['pinned'], remove: ['archived'], conversationWith };

// Everything secret is made for this run and gone with it.
const apiKey = randomBytes(20).toString('hex');
const sandbox = await Sandbox.start({ apiKey });
const secret = randomBytes(32).toString('hex');
const rules = { issuer: 'https://app.example', audience: 'cometchat-gateway' };
const config = loadConfig({
  COMETCHAT_BASE_URL: sandbox.baseUrl,
  COMETCHAT_API_KEY: apiKey,
  SESSION_SECRET: secret,
  SESSION_ISSUER: rules.issuer,
  SESSION_AUDIENCE: rules.audience,
  HOST: '127.0.0.1',
  PORT: '0',
});

/** The log, readable, held back until the parts are on the screen. */
const heldBack: string[] = [];
let show = (line: string): void => void heldBack.push(line);
const pretty = prettyFactory({
  singleLine: true,
  errorLikeObjectKeys: ['err'],
  colorize: process.stdout.isTTY,
});
const log = createLog(config.log, { write: (line) => show(pretty(line)) });

const app = fastify(serverOptions(log, config.trustedProxies));
await app.register(gateway, config);
const origin = await app.listen(config.listen);
const token = await signSession({ secrets: [secret], ...rules }, { sub: user });

const put = await ask('PUT', TAGS, replace);
const patch = await ask('PATCH', TAGS, change);
const list = await ask('GET', '/me/conversations?tags=pinned');
const answers = [put, patch, list];
const made = answers.map(({ calls }) => calls.map(({ method }) => method).join()).join(' ');
const ok = answers.every(({ status }) => status === 200) && made === 'PUT GET,PUT GET' && isPinned(list.text);

part('1', `Your app asks the gateway, as ${user}`, [
  `PUT ${origin}${TAGS}`,
  `Authorization: Bearer ${token.slice(0, 24)}…`,
  JSON.stringify(replace),
]);
const [call] = put.calls;
if (call) {
  part('2', 'The gateway asks CometChat in that user’s name, with the key that only it holds', [
    `${call.method} ${sandbox.origin}${call.path}`,
    `apikey: ${'•'.repeat(12)}   onBehalfOf: ${call.headers.onbehalfof}`,
    call.body,
  ]);
  part('3', `CometChat answers: ${call.reply.status}, ${size(call.reply.body)}`, excerpt(call.reply.body));
}
part('4', `Your app gets: ${put.status}, ${size(put.text)}`, wrap(put.text));
part('5', 'Your app changes single tags, and all others stay', [
  `PATCH ${TAGS} ${JSON.stringify(change)}`,
  ...patch.calls.map(inShort),
  got(patch),
]);
part('6', 'Your app lists conversations by a tag', [
  'GET /me/conversations?tags=pinned',
  ...list.calls.map(inShort),
  got(list),
]);
part('✓', 'The gateway’s log', heldBack.splice(0).slice(-1));

if (once) await end(ok ? 0 : 1);
show = (line) => process.stdout.write(`  ${line}`);
part('→', 'Try it yourself; Ctrl-C ends the demo', [
  `GATEWAY=${origin}`,
  `TOKEN=${token}`,
  `curl -X PUT ${origin}${TAGS} \\`,
  `  -H 'Authorization: Bearer ${token}' \\`,
  `  -H 'Content-Type: application/json' -d '${JSON.stringify(replace)}'`,
]);
process.once('SIGINT', () => void end(0));
process.once('SIGTERM', () => void end(0));

/** Makes a request as the user's app does. @returns the answer, and the calls that reached CometChat */
async function ask(method: string, path: string, body?: object) {
  const before = sandbox.calls.length;
  const response = await fetch(origin + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    body: body ? JSON.stringify(body) : null,
  });
  return { status: response.status, text: await response.text(), calls: sandbox.calls.slice(before) };
}

/** Whether it lists the one conversation, with the tags that it has after both writes. */
function isPinned(text: string): boolean {
  const { conversations, pagination } = JSON.parse(text);
  return conversations?.length === 1 && `${conversations[0].tags}` === 'vip,pinned' && !pagination.hasMore;
}

function part(sign: string, title: string, lines: readonly string[]): void {
  const head = styleText(['bold', 'cyan'], `${sign}  ${title}`);
  process.stdout.write(`\n${head}\n${lines.map((line) => `   ${line.trimEnd()}\n`).join('')}`);
}

/** A call to CometChat in one line, with the tags that were read. */
function inShort({ method, path, body, reply }: Call): string {
  const tags = method === 'GET' && reply.status === 200 && JSON.parse(reply.body).data.tags;
  const parts = [method, path, body, '→', reply.status, tags && JSON.stringify(tags)];
  return `CometChat gets: ${parts.filter(Boolean).join(' ')}`;
}

/** What an app gets, in one line. */
function got({ status, text }: { status: number; text: string }): string {
  const { title, conversations = [], pagination } = JSON.parse(text);
  const named = conversations.map(
    ({ conversationWith, tags }: { conversationWith: { name: string }; tags: string[] }) =>
      `${conversationWith.name} ${JSON.stringify(tags)}`,
  );
  const page = pagination && JSON.stringify(pagination);
  return `Your app gets: ${[status, title, ...named, page].filter(Boolean).join(' ')}`;
}

function size(body: string): string {
  return `${Buffer.byteLength(body)} bytes`;
}

function wrap(body: string): string[] {
  return body.match(new RegExp(`.{1,${WIDTH}}`, 'gu')) ?? [];
}

function excerpt(body: string): string[] {
  const lines = wrap(body);
  return lines.length <= 3 ? lines : [...lines.slice(0, 2), `… and ${lines.length - 2} lines like these`];
}

async function end(code: number): Promise<never> {
  await app.close();
  await sandbox.close();
  process.exit(code);
}
