import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { until } from '../helpers/until.ts';
import { CALL, Line, sandboxed } from './sandboxed.ts';

const TAGS = ['cometchat-uid-1', 'users', 'cometchat-uid-2'] as const;
const REPLY = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';

t.test('a reset comes before the write, or after it', async (t) => {
  for (const reset of ['on-arrival', 'before-headers', 'in-body'] as const) {
    const { sandbox } = await sandboxed(t);
    sandbox.fault({ reset });
    const line = new Line(t, sandbox);
    t.equal(await line.end(), 'ECONNRESET', reset);
    t.equal(line.received === '', reset !== 'in-body');
    t.same(sandbox.world.tags(...TAGS), reset === 'on-arrival' ? [] : ['a']);
    t.equal(sandbox.received, 1);
  }
});

t.test('raw bytes go out as they are, and nothing is written', async (t) => {
  const { sandbox } = await sandboxed(t);
  sandbox.fault({ raw: ['no HTTP \xff\n', { pauseMs: 5 }, { repeat: 'ab', times: 50_000 }, 'end'] });
  const line = new Line(t, sandbox);
  t.equal(await line.end(), 'FIN');
  t.equal(line.received, `no HTTP \xff\n${'ab'.repeat(50_000)}end`);
  t.same(sandbox.world.tags(...TAGS), []);
  t.match(sandbox.calls, [{ body: '{"tags":["a"]}', reply: { status: 0 } }]);
});

t.test('a connection that is kept open takes many more requests', async (t) => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  t.teardown(() => process.off('warning', warned));
  const { sandbox } = await sandboxed(t);
  sandbox.fault({ raw: [REPLY], keepOpen: true, times: 15 });
  const line = new Line(t, sandbox);
  for (let round = 1; round <= 15; round += 1) {
    await line.gets(round * REPLY.length);
    line.socket.write(CALL);
  }
  await line.gets('"conversationId"');
  t.same(sandbox.world.tags(...TAGS), ['a'], 'the last request had a true answer');
  t.equal(line.ended, '');
  t.same(warnings, []);
});

t.test('a request that comes during raw bytes is answered after them', async (t) => {
  const { sandbox } = await sandboxed(t);
  sandbox.fault({ raw: [REPLY, { pauseMs: 20 }, 'late'], keepOpen: true }, { raw: ['second'] });
  const line = new Line(t, sandbox);
  await line.gets(REPLY.length);
  line.socket.write(CALL);
  await line.end();
  t.match(line.received, /late/);
  t.match(line.received, /second/);
});

t.test('a flood goes only as fast as it is read, and ends with the reader', async (t) => {
  const { sandbox } = await sandboxed(t);
  sandbox.fault({ raw: [{ repeat: 'flood\r\n', times: 1_000_000_000 }] });
  const accepted = new Promise<Socket>((resolve) => sandbox.onConnection(resolve));
  const line = new Line(t, sandbox);
  line.socket.pause();
  const served = await accepted;
  await until('a full buffer', () => served.writableNeedDrain);
  t.ok(served.writableLength < 200_000);
  line.socket.resume();
  await line.gets(1_000_000);
  const gone = once(served, 'close').catch(() => {});
  line.socket.destroy();
  await gone;
  t.ok(served.destroyed);
});

t.test('what still waits or flows ends with the sandbox', async (t) => {
  for (const piece of [{ pauseMs: 2 ** 31 - 1 }, { repeat: 'x', times: 1_000_000_000 }]) {
    const { sandbox } = await sandboxed(t);
    sandbox.fault({ raw: ['begin', piece] });
    const line = new Line(t, sandbox);
    await line.gets('begin');
    await sandbox.close();
    t.ok(await line.end());
  }
});
