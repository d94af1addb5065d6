import { readFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { setTimeout as wait, setImmediate as yieldToOthers } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Sandbox } from '../../sandbox/server.ts';
import { until } from '../helpers/until.ts';
import { Line, sandboxed } from './sandboxed.ts';

const portOf = (sandbox: Sandbox): number => Number(new URL(sandbox.origin).port);

/** What a connect to the sandbox comes to: `connected`, the code of the error, or `nothing`. */
async function connect(t: Test, sandbox: Sandbox): Promise<{ outcome: string; socket: Socket }> {
  let outcome = 'nothing';
  const socket = net.connect(portOf(sandbox), '127.0.0.1');
  t.teardown(() => socket.destroy());
  const done = new Promise<void>((resolve) => {
    socket.once('connect', () => {
      outcome = 'connected';
      resolve();
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      outcome = code ?? '';
      resolve();
    });
  });
  await Promise.race([done, wait(50)]);
  // What had come before the time was over is told after it, on a busy machine.
  await yieldToOthers();
  return { outcome, socket };
}

const hex = (port: number | undefined) => port?.toString(16).toUpperCase().padStart(4, '0');
/** The kernel's name for it is SYN_SENT, and its number 2. */
const sendsSyn = (from: number | undefined, to: number): boolean =>
  new RegExp(`:${hex(from)} 0100007F:${hex(to)} 02 `).test(readFileSync('/proc/net/tcp', 'latin1'));

t.test('a refused link closes what is open, and listens again on the same port', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  const port = portOf(sandbox);
  const line = new Line(t, sandbox);
  await line.gets('"conversationId"');
  await sandbox.link('refused');
  await line.end();
  t.equal((await connect(t, sandbox)).outcome, 'ECONNREFUSED');
  await sandbox.link('up');
  t.equal(portOf(sandbox), port);
  t.equal((await call('GET', '/v3/users/cometchat-uid-2/conversation')).status, 200);
  t.equal(sandbox.received, 2);
});

t.test('a hung link answers no connect', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  await sandbox.link('hung');
  const { outcome, socket } = await connect(t, sandbox);
  t.equal(outcome, 'nothing');
  if (process.platform === 'linux') t.ok(sendsSyn(socket.localPort, portOf(sandbox)), 'in SYN_SENT');
  await sandbox.link('up');
  t.equal((await call('GET', '/v3/users/cometchat-uid-2/conversation')).status, 200);
});

t.test('changes wait for each other, and any is the last one', async (t) => {
  const { sandbox } = await sandboxed(t);
  await Promise.all([sandbox.link('hung'), sandbox.link('refused'), sandbox.link('hung')]);
  t.equal((await connect(t, sandbox)).outcome, 'nothing');
  await sandbox.link('hung');
  await sandbox.close();
  t.equal((await connect(t, sandbox)).outcome, 'ECONNREFUSED');
});

t.test('by hand it is for some time, and answered first', async (t) => {
  const { sandbox } = await sandboxed(t);
  const link = async (body: unknown) => {
    const init = { method: 'PUT', body: JSON.stringify(body) };
    const response = await fetch(`${sandbox.origin}/sandbox/link`, init);
    return { status: response.status, json: await response.json() };
  };
  for (const body of [
    {},
    { state: 'down', forMs: 1 },
    { state: 'hung' },
    { state: 'refused', forMs: 60_001 },
  ]) {
    t.match(await link(body), { status: 400, json: { errors: [{ path: /\w/, message: /\w/ }] } });
  }
  t.match(await link({ state: 'up' }), { status: 200 });
  const line = new Line(t, sandbox);
  t.match(await link({ state: 'refused', forMs: 50 }), { status: 200, json: { state: 'refused' } });
  await line.end();
  await until('the link', async () => (await connect(t, sandbox)).outcome === 'connected');
  t.match(await link({ state: 'hung', forMs: 60_000 }), { status: 200 });
  await until('a link that hangs', async () => (await connect(t, sandbox)).outcome === 'nothing');
  await sandbox.close();
  t.equal((await connect(t, sandbox)).outcome, 'ECONNREFUSED', 'it closes before its time is over');
});
