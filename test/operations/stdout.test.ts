import { Writable } from 'node:stream';
import t from 'tap';
import { PrometheusMetrics } from '../../src/operations/prometheus.ts';
import { Stdout } from '../../src/operations/stdout.ts';
import { countsOf } from '../helpers/metrics.ts';
import { startProcess } from '../helpers/process.ts';
import { until } from '../helpers/until.ts';

const LINE = 'x'.repeat(1023);
/** More lines than may wait, which is 1 MiB. */
const MANY = 1200;

/** A stdout whose reader has to be let on. */
function stalled() {
  const written: string[] = [];
  const held: (() => void)[] = [];
  let isStalled = true;
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, callback) {
      written.push(String(chunk));
      if (isStalled) held.push(callback);
      else callback();
    },
  });
  const read = () => {
    isStalled = false;
    for (const callback of held.splice(0)) callback();
  };
  return { stream, written, read };
}

t.test('lines wait for a reader that stalls, and beyond 1 MiB they are dropped and counted', async (t) => {
  const { stream, written, read } = stalled();
  const stdout = new Stdout(stream);
  const metrics = new PrometheusMetrics();
  const told: unknown[] = [];
  for (let n = 0; n < MANY; n += 1) stdout.write(`${LINE}\n`);
  stdout.follow({ warn: (fields: unknown) => told.push(fields) }, metrics);
  stdout.write(`${LINE}\n`);
  const dropped = MANY - 1025 + 1;
  t.equal((await countsOf(metrics)).log_lines_dropped, dropped);
  read();
  await until('all lines', () => written.length === 1025);
  t.strictSame(told, [{ lines: dropped }], 'the log tells of it when there is room again');
  stdout.write('next\n');
  t.equal(written.at(-1), 'next\n');
});

t.test('the end waits for a slow reader, and not for one that has stalled', async (t) => {
  const { stream, written, read } = stalled();
  const stdout = new Stdout(stream);
  stdout.write('first\n');
  stdout.write('last\n');
  await stdout.flush(1);
  t.strictSame(written, ['first\n'], 'it was given up');
  const flushed = stdout.flush(60_000);
  read();
  await flushed;
  t.match(written, ['first\n', 'last\n']);
});

t.test('the end tells of lines that were dropped', async (t) => {
  const { stream, read } = stalled();
  const stdout = new Stdout(stream);
  const told: unknown[] = [];
  stdout.follow({ warn: (fields: unknown) => told.push(fields) }, new PrometheusMetrics());
  for (let n = 0; n < MANY; n += 1) stdout.write(`${LINE}\n`);
  const flushed = stdout.flush(60_000);
  t.match(told, [{ lines: MANY - 1025 }]);
  read();
  await flushed;
});

t.test('a gateway whose log nobody reads serves all the same, and loses no line that may wait', async (t) => {
  const { child, call, origin } = await startProcess(t, { LOG_LEVEL: 'debug' });
  child.process.stdout.pause();
  const before = child.stdout.length;
  // Each has a line of 170 bytes, and a pipe holds 64 KiB.
  let served = 0;
  for (let n = 0; n < 600; n += 1) served += Number((await fetch(`${origin}/livez`)).ok);
  t.equal(served, 600);
  t.equal((await call()).status, 200);
  t.ok(child.stdout.length - before < 100_000, 'nobody has read it');
  child.process.kill('SIGTERM');
  await until('the end of the connections', async () => (await fetch(origin).catch(() => null)) === null);
  child.process.stdout.resume();
  t.equal(await child.exit(), 0);
  t.equal(child.stdout.match(/"route":"\/livez"/g)?.length, 600);
  t.match(child.stdout, '"msg":"shutting down"');
});

t.test('what a shutdown has cut off reaches a slow reader, too', async (t) => {
  const { child, call, origin, sandbox } = await startProcess(t, {
    LOG_LEVEL: 'debug',
    SHUTDOWN_DRAIN_MS: '0',
    SHUTDOWN_DEADLINE_MS: '100',
  });
  child.process.stdout.pause();
  for (let n = 0; n < 600; n += 1) await fetch(`${origin}/livez`);
  sandbox.fault({ delayMs: 60_000 });
  const taken = sandbox.nextCall();
  const cutOff = t.rejects(call());
  await taken;
  child.process.kill('SIGTERM');
  const signalled = performance.now();
  await until('its deadline', () => performance.now() - signalled > 300);
  child.process.stdout.resume();
  t.equal(await child.exit(), 1);
  t.match(child.stdout, '"calls":1,"msg":"the shutdown took too long: calls were cut off"');
  await cutOff;
});

t.test('a gateway ends, whether or not somebody reads its log, or has gone', async (t) => {
  const { child, origin } = await startProcess(t, { LOG_LEVEL: 'debug' });
  child.process.stdout.destroy();
  for (let n = 0; n < 10; n += 1) t.equal((await fetch(`${origin}/livez`)).status, 200);
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
});
