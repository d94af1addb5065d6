import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import type { Tls } from '../../sandbox/certificates.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { listening } from '../helpers/ports.ts';
import { startSandbox } from '../helpers/sandbox.ts';

/** What is seen of a connection that fails in the same way in three attempts. */
const threeAttempts = (type: string) => ({
  answer: [502, 'cometchat-failed'] as const,
  calls: 0,
  line: { level: 'warn', problem: 'cometchat-failed', error: { type }, retried: [type, type] },
  moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 3, retries: 2 },
});

t.test('a refused connection is tried three times, and is a 502', async (t) => {
  const { meets, served, sandbox } = await startGateway(t);
  await sandbox.link('refused');
  await meets(t, threeAttempts('ECONNREFUSED'));
  await sandbox.link('up');
  await served(t);
});

t.test('a connection or a TLS handshake that hangs is tried three times, and is a 504', async (t) => {
  const env = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '150', COMETCHAT_DEADLINE_MS: '10000' };
  const unconnected = await startGateway(t, env);
  await unconnected.sandbox.link('hung');
  const mute = net.createServer((socket) => t.teardown(() => socket.destroy()));
  const port = await listening(t, mute);
  const unshaken = await startGateway(t, { ...env, COMETCHAT_BASE_URL: `https://127.0.0.1:${port}` });
  const hangs = ({ meets }: Gateway) =>
    meets(t, {
      answer: [504, 'cometchat-timeout'],
      calls: 0,
      // test/base/http-client.test.ts has the exact types: which timer is the first is a matter of milliseconds.
      line: {
        level: 'warn',
        problem: 'cometchat-timeout',
        error: { type: /^timeout_/ },
        retried: { length: 2 },
      },
      moved: { 'problems cometchat-timeout': 1, 'attempts cometchat-timeout': 3, retries: 2 },
    });
  await Promise.all([hangs(unconnected), hangs(unshaken)]);
});

/** A gateway whose CometChat has a name, and a name server that fails so many times. */
async function named(t: Test, failures: number, code: string) {
  const cometChat = await startSandbox(t);
  let left = failures;
  const lookup: LookupFunction = (_name, _options, done) => {
    left -= 1;
    if (left >= 0) done(Object.assign(new Error('no answer'), { code }), '');
    else done(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  const port = new URL(cometChat.origin).port;
  return startGateway(
    t,
    { COMETCHAT_BASE_URL: `http://cometchat:${port}/v3` },
    { sandbox: cometChat, seams: { lookup } },
  );
}

t.test('a name that is not found is looked up three times, and is a 502', async (t) => {
  const { meets } = await named(t, Number.POSITIVE_INFINITY, 'ENOTFOUND');
  await meets(t, threeAttempts('ENOTFOUND'));
});

t.test('a lookup that fails for a while is repeated', async (t) => {
  const { meets } = await named(t, 2, 'EAI_AGAIN');
  await meets(t, {
    answer: 200,
    calls: 1,
    line: { level: 'info', retried: ['EAI_AGAIN', 'EAI_AGAIN'] },
    moved: { 'attempts cometchat-failed': 2, 'attempts ok': 1, retries: 2 },
  });
});

t.test(
  'no key is sent where the certificate is expired, for another host, or of an unknown authority',
  async (t) => {
    const known = tls.getCACertificates();
    t.teardown(() => tls.setDefaultCACertificates(known));
    const startWith = (kind: Tls) => startGateway(t, {}, { sandbox: { tls: kind } });
    const trust = ({ sandbox }: Gateway) => tls.setDefaultCACertificates([`${sandbox.ca}`]);
    const refuses = ({ meets }: Gateway, type: string) =>
      meets(t, {
        answer: [502, 'cometchat-failed'],
        calls: 0,
        line: { level: 'warn', error: { type }, retried: undefined },
        moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
      });
    const good = await startWith('good');
    await refuses(good, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    trust(good);
    await good.served(t);
    const expired = await startWith('expired');
    trust(expired);
    await refuses(expired, 'CERT_HAS_EXPIRED');
    const wrongHost = await startWith('wrong-host');
    trust(wrongHost);
    await refuses(wrongHost, 'ERR_TLS_CERT_ALTNAME_INVALID');
  },
);
