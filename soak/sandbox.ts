// CometChat's stand-in in a process of its own, so that its work does not delay the clients. It is told the phases,
// and tells what it was asked to do.
import type { Socket } from 'node:net';
import { CATALOGUE, type Name } from '../sandbox/catalogue.ts';
import { Sandbox } from '../sandbox/server.ts';
import { conversationName, USERS } from './conversations.ts';
import type { Phase } from './phases.ts';

/** What has happened since the report before. */
export interface Report {
  /** Conversations and their new tags, in the order in which they were applied. */
  readonly writes: (readonly [conversation: string, tags: readonly string[]])[];
  readonly calls: number;
  /** That are open now. */
  readonly connections: number;
}

const REPORT_EVERY_MS = 100;
/** The kernel gives connections higher ones, and could give this one away while the link is down. */
const PORTS = { from: 20_000, count: 10_000 };

/** A single one of these closes the quota of the whole app, or its key: they come by name alone. */
const FOR_ALL = /^(?:rate-limited-|key-refused$)/;
/** These say that the tags were set when they were not, so that nobody could tell whether the gateway is right. */
const LIES = /^(?:bytes-after-body|reply-nobody-asked-for|field-extra|field-odd)$/;
const KINDS = (Object.keys(CATALOGUE) as Name[]).filter((name) => !FOR_ALL.test(name) && !LIES.test(name));
// Some are made when they are first asked for, which takes a moment.
for (const name of KINDS) CATALOGUE[name].faults(Date.now());

const { COMETCHAT_API_KEY: apiKey = '', COMETCHAT_API_KEY_SECONDARY: secondary = '' } = process.env;
const sandbox = await Sandbox.start({
  apiKey,
  otherKeys: [secondary],
  port: PORTS.from + Math.floor(Math.random() * PORTS.count),
  callsPerMinute: 1_000_000,
  users: USERS,
  remember: 0,
});

let writes: Report['writes'] = [];
sandbox.world.onWrite = ({ onBehalfOf, id, tags }) => writes.push([conversationName(onBehalfOf, id), tags]);
let connections = 0;
sandbox.onConnection((socket: Socket) => {
  connections += 1;
  socket.once('close', () => {
    connections -= 1;
  });
});

process.on('message', async ({ share = 0, link = 'up', first = [] }: Phase) => {
  sandbox.chaos(share, KINDS);
  await sandbox.link(link);
  for (const name of first) sandbox.play(name);
});
// Its parent has gone.
process.once('disconnect', () => process.exit());
// Ctrl-C is for its parent, which ends it when the clients have ended.
process.on('SIGINT', () => {});

let reported = 0;
setInterval(() => {
  const calls = sandbox.received - reported;
  reported = sandbox.received;
  process.send?.({ writes, calls, connections } satisfies Report);
  writes = [];
}, REPORT_EVERY_MS);
process.send?.(sandbox.baseUrl);
