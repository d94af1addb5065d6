import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import { Sandbox } from '../../sandbox/server.ts';
import { API_KEY } from '../helper.ts';
import { listening } from '../ports.ts';
import { upstream } from './upstream.ts';

const UNREACHABLE = [502, 'cometchat-failed'] as const;
const QUICK = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '150', COMETCHAT_DEADLINE_MS: '400' };

/** What is seen of a connection that fails in the same way in three attempts. */
const threeAttempts = (type: string) => ({
  answer: UNREACHABLE,
  calls: 0,
  line: { level: 'warn', problem: 'cometchat-failed', error: { type }, retried: [type, type] },
  moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 3, retries: 2 },
});

t.test('1: the connection is refused', async (t) => {
  const { meets, sandbox } = await upstream(t);
  await sandbox.link('refused');
  await meets(t, threeAttempts('ECONNREFUSED'));
  await sandbox.link('up');
  await meets(t, { answer: 200, calls: 1, line: { level: 'info' }, moved: { 'attempts ok': 1 } });
});

t.test('2: the connection hangs', async (t) => {
  const { meets, sandbox } = await upstream(t, QUICK);
  await sandbox.link('hung');
  await meets(t, {
    answer: [504, 'cometchat-timeout'],
    calls: 0,
    line: { error: { type: 'timeout_connect' } },
    moved: { 'problems cometchat-timeout': 1, 'attempts cometchat-timeout': 3, retries: 2 },
  });
});

/** A name server that fails so many times, and then gives the addresses one after the other, the last for ever. */
function nameServer(failures: number, code: string, ...addresses: string[]): LookupFunction {
  return (_name, options, done) => {
    failures -= 1;
    if (failures >= 0) return done(Object.assign(new Error('no answer'), { code }), '');
    const address = addresses.length > 1 ? addresses.shift() : addresses[0];
    const found = [{ address: `${address}`, family: 4 }];
    return options.all ? done(null, found) : done(null, `${address}`, 4);
  };
}
const byName = ({ origin }: Sandbox) => ({
  COMETCHAT_BASE_URL: `http://cometchat:${new URL(origin).port}/v3`,
});

t.test('3: the name is not found, or its lookup fails for a while', async (t) => {
  const elsewhere = await Sandbox.start({ apiKey: API_KEY });
  t.teardown(() => elsewhere.close());
  const never = await upstream(t, byName(elsewhere), {
    seams: { lookup: nameServer(100, 'ENOTFOUND') },
  });
  await never.meets(t, threeAttempts('ENOTFOUND'));
  const later = await upstream(t, byName(elsewhere), {
    seams: { lookup: nameServer(2, 'EAI_AGAIN', '127.0.0.1') },
  });
  await later.meets(t, {
    answer: 200,
    calls: 0,
    line: { level: 'info', retried: ['EAI_AGAIN', 'EAI_AGAIN'] },
    moved: { 'attempts cometchat-failed': 2, 'attempts ok': 1, retries: 2 },
  });
  t.equal(elsewhere.received, 1);
});

t.test('4: the name moves to another address', async (t) => {
  const old = await Sandbox.start({ apiKey: API_KEY, host: '127.0.0.1' });
  const port = Number(new URL(old.origin).port);
  const moved = await Sandbox.start({ apiKey: API_KEY, host: '127.0.0.2', port });
  t.teardown(() => moved.close());
  const lookup = nameServer(0, '', '127.0.0.1', '127.0.0.2');
  const { meets } = await upstream(t, byName(old), { seams: { lookup } });
  await meets(t, { answer: 200, calls: 0, line: {}, moved: { 'attempts ok': 1 } });
  await old.close();
  await meets(t, { answer: 200, calls: 0, line: { level: 'info' }, moved: { 'attempts ok': 1 } });
  t.strictSame([old.received, moved.received], [1, 1], 'the second call went to the new address');
});

t.test('5: TLS: the certificate is expired, or for another host, or of an unknown authority', async (t) => {
  const known = tls.getCACertificates();
  t.teardown(() => tls.setDefaultCACertificates(known));
  const meet = async (kind: 'good' | 'expired' | 'wrong-host', type?: string) => {
    const gateway = await upstream(t, {}, { sandbox: { tls: kind } });
    if (type !== 'UNABLE_TO_VERIFY_LEAF_SIGNATURE') tls.setDefaultCACertificates([`${gateway.sandbox.ca}`]);
    await gateway.meets(
      t,
      type === undefined
        ? { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1 } }
        : {
            answer: UNREACHABLE,
            calls: 0,
            line: { error: { type }, retried: undefined },
            moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
          },
    );
  };
  await meet('good', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  await meet('good');
  await meet('expired', 'CERT_HAS_EXPIRED');
  await meet('wrong-host', 'ERR_TLS_CERT_ALTNAME_INVALID');
});

t.test('5: TLS: the handshake never ends', async (t) => {
  const port = await listening(
    t,
    net.createServer((socket) => t.teardown(() => socket.destroy())),
  );
  const { meets } = await upstream(t, {
    ...QUICK,
    COMETCHAT_BASE_URL: `https://127.0.0.1:${port}`,
  });
  await meets(t, {
    answer: [504, 'cometchat-timeout'],
    calls: 0,
    line: { error: { type: 'timeout_secureConnect' } },
    moved: { 'problems cometchat-timeout': 1, 'attempts cometchat-timeout': 3, retries: 2 },
  });
});
