// npm run demo: the sandbox, the gateway, three real requests through both, and a page to go on with in the browser.
import { randomBytes } from 'node:crypto';
import { type Call, Sandbox } from '../sandbox/server.ts';
import { demoGateway } from './demo/gateway.ts';
import { listenFrom, listenOn } from './demo/listen.ts';
import { readable } from './demo/log.ts';
import { readOptions } from './demo/options.ts';
import { body, part } from './demo/screen.ts';

const options = readOptions(process.argv.slice(2));
const GATEWAY_PORT = 3000;
const SANDBOX_PORT = 4000;
const user = 'cometchat-uid-4';
const conversationWith = 'cometchat-uid-3';
const TAGS = '/me/conversations/tags';
const replace = { tags: ['archived', 'vip'], conversationWith };
const change = { add: ['pinned'], remove: ['archived'], conversationWith };

// Everything secret is made for this run and gone with it.
const apiKey = randomBytes(20).toString('hex');
const sandbox = await listenFrom(SANDBOX_PORT, (port) => Sandbox.start({ apiKey, port }), options.port);

/** The log, held back until the parts are on the screen. */
const heldBack: string[][] = [];
let show = (lines: string[]): void => void heldBack.push(lines);
const { app, signIn } = await demoGateway({
  sandbox,
  apiKey,
  origins: options.origins,
  write: (line) => show(readable(line)),
});
const listen = (port: number) => app.listen({ host: '127.0.0.1', port });
const origin = await (options.port === undefined
  ? listenFrom(GATEWAY_PORT, listen)
  : listenOn(options.port, listen));
if (options.port === undefined) tellMoved('the gateway', GATEWAY_PORT, origin);
tellMoved('CometChat’s stand-in', SANDBOX_PORT, sandbox.origin);

const token = await signIn(user);
const expiredToken = await signIn(user, true);

const put = await ask('PUT', TAGS, replace);
const patch = await ask('PATCH', TAGS, change);
const list = await ask('GET', '/me/conversations?tags=pinned');
const answers = [put, patch, list];
const made = answers.map(({ calls }) => calls.map(({ method }) => method).join()).join(' ');
const ok = answers.every(({ status }) => status === 200) && made === 'PUT GET,PUT GET' && isPinned(list.text);

part('1', `Your app asks the gateway, as ${user}`, [
  `PUT ${origin}${TAGS}`,
  `Authorization: Bearer ${token.slice(0, 24)}…`,
  ...body(JSON.stringify(replace)),
]);
const [call] = put.calls;
if (call) {
  part('2', 'The gateway asks CometChat in that user’s name, with the key that only it holds', [
    `${call.method} ${sandbox.origin}${call.path}`,
    `apikey: ${'•'.repeat(12)}   onBehalfOf: ${call.headers.onbehalfof}`,
    ...body(call.body),
  ]);
  part('3', `CometChat answers: ${call.reply.status}, ${size(call.reply.body)}`, body(call.reply.body, 5));
}
part('4', `Your app gets: ${put.status}, ${size(put.text)}`, body(put.text, 11));
part('5', 'Your app changes single tags, and all others stay', [
  `PATCH ${TAGS}`,
  ...body(JSON.stringify(change)),
  ...patch.calls.map(inShort),
  got(patch),
]);
part('6', 'Your app lists conversations by a tag', [
  'GET /me/conversations?tags=pinned',
  ...list.calls.map(inShort),
  got(list),
]);
part('✓', 'The gateway’s log', heldBack.slice(-1).flat());

if (options.once) await end(ok ? 0 : 1);
show = (lines) => process.stdout.write(lines.map((line) => `   ${line}\n`).join(''));
await sandbox.servePage({ gateway: origin, signIn });
part('→', 'See it in the browser: two devices of one user, and every call that CometChat gets', [
  `${sandbox.origin}/`,
  'A page of your own may call, too: npm run demo -- --cors <its origin>',
]);
part('→', 'Or paste this into another terminal. Ctrl-C ends the demo', [
  `GATEWAY=${origin}`,
  `TOKEN=${token}`,
  `EXPIRED_TOKEN=${expiredToken}`,
  `curl -X PUT "$GATEWAY${TAGS}" -H "Authorization: Bearer $TOKEN" \\`,
  `  -H 'Content-Type: application/json' \\`,
  `  -d '${JSON.stringify(replace)}'`,
]);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.stdout.write('\nending…\n');
    void end(0);
  });
}

function tellMoved(who: string, wanted: number, origin: string): void {
  const { port } = new URL(origin);
  if (Number(port) !== wanted) process.stdout.write(`Port ${wanted} is taken: ${who} is on ${port}\n`);
}

/** Makes a request as the user's app does. @returns the answer, and the calls that reached CometChat */
async function ask(method: string, path: string, content?: object) {
  const before = sandbox.calls.length;
  const response = await fetch(origin + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(content && { 'content-type': 'application/json' }) },
    body: content ? JSON.stringify(content) : null,
  });
  return { status: response.status, text: await response.text(), calls: sandbox.calls.slice(before) };
}

/** Whether it lists the one conversation, with the tags that it has after both writes. */
function isPinned(text: string): boolean {
  const { conversations, pagination } = JSON.parse(text);
  return conversations?.length === 1 && `${conversations[0].tags}` === 'vip,pinned' && !pagination.hasMore;
}

/** A call to CometChat in one line, with the tags that were read. */
function inShort({ method, path, body: sent, reply }: Call): string {
  const tags = method === 'GET' && reply.status === 200 && JSON.parse(reply.body).data.tags;
  const parts = [method, path, sent, '→', reply.status, tags && JSON.stringify(tags)];
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

function size(text: string): string {
  return `${Buffer.byteLength(text)} bytes`;
}

async function end(code: number): Promise<never> {
  await app.close();
  await sandbox.close();
  process.exit(code);
}
