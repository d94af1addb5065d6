// CometChat's stand-in in a process of its own, so that its work does not delay the clients. It is told the phases,
// and tells what it was asked to do.
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CATALOGUE } from '../sandbox/catalogue.ts';
import { Sandbox } from '../sandbox/server.ts';
import { now } from './clock.ts';
import { conversationName, USERS } from './conversations.ts';
import { FAULTS } from './faults.ts';
import type { Phase } from './phases.ts';

/** What has happened since the report before. */
export interface Report {
  /** Conversations and their new tags, in the order in which they were applied, and when that was. */
  readonly writes: (readonly [conversation: string, tags: readonly string[], at: number])[];
  /** All writes until then have been told. */
  readonly until: number;
  readonly calls: number;
  /** That are open now. */
  readonly connections: number;
  /** The longest time since the start in which it did nothing for anybody, in milliseconds. */
  readonly pauseMs: number;
}

const REPORT_EVERY_MS = 100;
const NANOSECONDS_PER_MS = 1_000_000;
/** The kernel gives connections higher ones, and could give this one away while the link is down. */
const PORTS = { from: 20_000, count: 10_000 };

// Some are made when they are first asked for, which takes a moment.
for (const name of FAULTS) CATALOGUE[name].faults(Date.now());

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
sandbox.world.onWrite = ({ onBehalfOf, id, tags }) =>
  writes.push([conversationName(onBehalfOf, id), tags, now()]);
let connections = 0;
sandbox.onConnection((socket: Socket) => {
  connections += 1;
  socket.once('close', () => {
    connections -= 1;
  });
});

process.on('message', async ({ share = 0, link = 'up', first = [] }: Phase) => {
  sandbox.chaos(share, FAULTS);
  await sandbox.link(link);
  for (const name of first) sandbox.play(name);
});
// Its parent has gone.
process.once('disconnect', () => process.exit());
// Ctrl-C is for its parent, which ends it when the clients have ended.
process.on('SIGINT', () => {});

const pauses = monitorEventLoopDelay({ resolution: 1 });
pauses.enable();
let reported = 0;
setInterval(() => {
  const calls = sandbox.received - reported;
  reported = sandbox.received;
  const pauseMs = pauses.max / NANOSECONDS_PER_MS;
  process.send?.({ writes, until: now(), calls, connections, pauseMs } satisfies Report);
  writes = [];
}, REPORT_EVERY_MS);
process.send?.(sandbox.baseUrl);
