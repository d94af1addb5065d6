// npm run demo: the sandbox, the gateway, and one real call through both, shown from end to end.
import { randomBytes } from 'node:crypto';
import { parseArgs, styleText } from 'node:util';
import { fastify } from 'fastify';
import { prettyFactory } from 'pino-pretty';
import { Sandbox } from '../sandbox/server.ts';
import { gateway, serverOptions } from '../src/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { createLog } from '../src/operations/log.ts';
import { signSession } from './sign-session.ts';

const { once } = parseArgs({ options: { once: { type: 'boolean', default: false } } }).values;
const WIDTH = 96;
const user = 'cometchat-uid-4';
const request = { tags: ['archived', 'vip'], conversationWith: 'cometchat-uid-3' };

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

/** The log, readable, held back until the four parts are on the screen. */
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
const url = `${origin}/me/conversations/tags`;
const token = await signSession({ secrets: [secret], ...rules }, { sub: user });

const response = await fetch(url, {
  method: 'PUT',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify(request),
});
const answer = await response.text();
const [call] = sandbox.calls;
const ok = response.status === 200 && call !== undefined && sandbox.calls.length === 1;

part('1', `Your app asks the gateway, as ${user}`, [
  `PUT ${url}`,
  `Authorization: Bearer ${token.slice(0, 24)}…`,
  JSON.stringify(request),
]);
if (call) {
  part('2', 'The gateway asks CometChat in that user’s name, with the key that only it holds', [
    `${call.method} ${sandbox.origin}${call.path}`,
    `apikey: ${'•'.repeat(12)}   onBehalfOf: ${call.headers.onbehalfof}`,
    call.body,
  ]);
  part('3', `CometChat answers: ${call.reply.status}, ${size(call.reply.body)}`, excerpt(call.reply.body));
}
part('4', `Your app gets: ${response.status}, ${size(answer)}`, wrap(answer));
part('✓', 'The gateway’s log', heldBack.splice(0).slice(-1));

if (once) await end(ok ? 0 : 1);
show = (line) => process.stdout.write(`  ${line}`);
part('→', 'Try it yourself; Ctrl-C ends the demo', [
  `curl -X PUT ${url} \\`,
  `  -H 'Authorization: Bearer ${token}' \\`,
  `  -H 'Content-Type: application/json' -d '${JSON.stringify(request)}'`,
]);
process.once('SIGINT', () => void end(0));
process.once('SIGTERM', () => void end(0));

function part(sign: string, title: string, lines: readonly string[]): void {
  const head = styleText(['bold', 'cyan'], `${sign}  ${title}`);
  process.stdout.write(`\n${head}\n${lines.map((line) => `   ${line.trimEnd()}\n`).join('')}`);
}

function size(body: string): string {
  return `${Buffer.byteLength(body)} bytes`;
}

function wrap(body: string): string[] {
  return body.match(new RegExp(`.{1,${WIDTH}}`, 'gu')) ?? [];
}

function excerpt(body: string): string[] {
  const lines = wrap(body);
  return lines.length <= 5 ? lines : [...lines.slice(0, 4), `… and ${lines.length - 4} lines like these`];
}

async function end(code: number): Promise<never> {
  await app.close();
  await sandbox.close();
  process.exit(code);
}
