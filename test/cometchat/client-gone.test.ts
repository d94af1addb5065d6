import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import { callBytes } from '../helpers/answers.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { movedSince } from '../helpers/metrics.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { bearer, ME } from '../helpers/tokens.ts';

/** What the client of send() writes. */
const SAME = { tags: [], conversationWith: ME };
/** Longer than any call may go on after its clients have left, and much shorter than any deadline. */
const SOON_MS = 1000;

async function send({ connect }: Gateway): Promise<Socket> {
  const { client } = await connect();
  const { authorization } = await bearer();
  client.write(callBytes(`Authorization: ${authorization}`, 'Content-Type: application/json'));
  return client;
}

/** Sends the call, and gives the client when CometChat has it. */
async function arrive(gateway: Gateway): Promise<Socket> {
  const { answer } = await gateway.underWay(() => send(gateway));
  return answer;
}

async function leave({ counted }: Gateway, client: Socket): Promise<void> {
  client.destroy();
  await counted('clients_gone');
}

/** A clock whose timers go off when a test says so; a wait has no end but an early one. */
class StoppedClock implements Clock {
  readonly now = MACHINE_CLOCK.now;
  readonly #timers = new Set<{ ms: number; callback: () => void }>();

  after(ms: number, callback: () => void): () => void {
    const timer = { ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  async wait(_ms: number, ended: AbortSignal): Promise<void> {
    if (!ended.aborted) await once(ended, 'abort');
  }

  /** Lets all go off that were set for so long at most. */
  pass(longest: number): void {
    for (const { ms, callback } of this.#timers) if (ms <= longest) callback();
  }
}

t.test('the call is cut off, and not made again', async (t) => {
  const gateway = await startGateway(t);
  const { app, counted, counts, sandbox, requests } = gateway;
  const before = await counts();
  const opened = new Promise<Socket>((resolve) => sandbox.onConnection(resolve));
  sandbox.play('silence', 2);
  const client = await arrive(gateway);
  const closed = once(await opened, 'close');
  await leave(gateway, client);
  await closed;
  await counted('attempts client_gone');
  await app.close();
  t.equal(sandbox.received, 1);
  t.match(requests(), [{ aborted: true, error: { type: 'client_gone' }, onBehalfOf: ME }]);
  t.equal(requests().length, 1);
  t.strictSame(movedSince(before, await counts()), { clients_gone: 1, 'attempts client_gone': 1 });
});

t.test('a client that leaves between two attempts ends them', async (t) => {
  const gateway = await startGateway(t, {}, { seams: { clock: new StoppedClock() } });
  const { put, counted, served, sandbox } = gateway;
  sandbox.fault({ status: 503 });
  const client = await arrive(gateway);
  await counted('attempts cometchat-failed');
  await leave(gateway, client);
  // One more attempt would go before this write.
  await served(t, () => put(SAME));
});

t.test('a client that had left before its call was begun costs none', async (t) => {
  let left = false;
  const read = Promise.withResolvers<void>();
  const gateway = await startGateway(
    t,
    {},
    {
      extend: (app) =>
        app.addHook('preHandler', async ({ raw: { socket } }) => {
          read.resolve();
          if (!left) await once(socket, 'close');
        }),
    },
  );
  const client = await send(gateway);
  await read.promise;
  left = true;
  await leave(gateway, client);
  await gateway.served(t, () => gateway.put(SAME));
  t.equal(gateway.sandbox.received, 1);
});

t.test('a call that ends soon after its client has left is not cut off', async (t) => {
  const clock = new StoppedClock();
  const gateway = await startGateway(t, {}, { seams: { clock } });
  const { put, counts, sandbox } = gateway;
  const release = sandbox.hold();
  await leave(gateway, await arrive(gateway));
  clock.pass(200);
  release();
  t.equal((await put(SAME)).status, 200);
  t.match(await counts(), { 'attempts ok': 2, 'attempts client_gone': 0 });
});

t.test('a call that other clients wait for goes on', async (t) => {
  const clock = new StoppedClock();
  const gateway = await startGateway(t, {}, { seams: { clock } });
  const { put, counted, sandbox } = gateway;
  const release = sandbox.hold();
  const client = await arrive(gateway);
  const other = put(SAME);
  await counted('joined_writes');
  await leave(gateway, client);
  clock.pass(SOON_MS);
  release();
  t.equal((await other).status, 200);
  t.equal(sandbox.received, 1);
});

t.test('the deadline of a client that has left means nothing to those who wait on', async (t) => {
  let lateMs = 0;
  const clock = { ...MACHINE_CLOCK, now: () => performance.now() + lateMs };
  const gateway = await startGateway(t, { COMETCHAT_DEADLINE_MS: '5000' }, { seams: { clock } });
  const { put, counted, sandbox } = gateway;
  sandbox.fault({ status: 503 });
  const release = sandbox.hold();
  const client = await arrive(gateway);
  lateMs = 5000;
  const other = put(SAME);
  await counted('joined_writes');
  await leave(gateway, client);
  release();
  t.equal((await other).status, 200, 'there is time for another attempt');
  t.equal(sandbox.received, 2);
});

t.test('the same write, after its client has left, is one of its own', async (t) => {
  const gateway = await startGateway(t);
  const { counts, put, sandbox } = gateway;
  const before = await counts();
  sandbox.play('silence');
  await leave(gateway, await arrive(gateway));
  t.equal((await put(SAME)).status, 200);
  t.equal(sandbox.received, 2);
  const moved = { clients_gone: 1, 'attempts client_gone': 1, 'attempts ok': 1 };
  t.strictSame(movedSince(before, await counts()), moved);
});

t.test('an exchange with the second key is cut off as well when nobody waits for it', async (t) => {
  const clock = new StoppedClock();
  const keys = { COMETCHAT_API_KEY_SECONDARY: `other-${API_KEY}` };
  const gateway = await startGateway(t, keys, {
    seams: { clock },
    sandbox: { otherKeys: Object.values(keys) },
  });
  const { counted, sandbox } = gateway;
  sandbox.fault({ status: 401 });
  sandbox.play('silence');
  const release = sandbox.hold();
  const client = await arrive(gateway);
  const second = sandbox.nextCall();
  await leave(gateway, client);
  release();
  await second;
  clock.pass(SOON_MS);
  await counted('attempts client_gone');
  t.equal(sandbox.received, 2);
});
