import http, { type IncomingMessage } from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { issuer } from '../helpers/issuer.ts';
import { otlpReceiver } from '../helpers/otlp-receiver.ts';
import { listening } from '../helpers/ports.ts';
import { startProcess } from '../helpers/process.ts';
import { startSandbox } from '../helpers/sandbox.ts';

type OnConnect = (request: IncomingMessage, client: Duplex) => void;

/** Makes the connection that a CONNECT asks for. */
const tunnel: OnConnect = ({ url }, client) => {
  const target = net.connect(Number(url?.split(':')[1]), '127.0.0.1');
  for (const socket of [client, target]) socket.on('error', () => {});
  client.write('HTTP/1.1 200 OK\r\n\r\n');
  client.pipe(target).pipe(client);
};

/** A proxy that asks for a password. `targets` are the hosts that it was asked for. */
async function startProxy(t: Test, onConnect = tunnel) {
  const targets = new Set<string>();
  const passwords = new Set<unknown>();
  const server = http.createServer((request, response) => {
    targets.add(new URL(`${request.url}`).host);
    passwords.add(request.headers['proxy-authorization']);
    const { method = '', headers } = request;
    const forward = http.request(`${request.url}`, { method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 0, reply.headers);
      reply.pipe(response);
    });
    request.pipe(forward);
  });
  const clients: Duplex[] = [];
  server.on('connect', (request, client) => {
    targets.add(`${request.url}`);
    passwords.add(request.headers['proxy-authorization']);
    clients.push(client);
    onConnect(request, client);
  });
  const port = await listening(t, server);
  t.teardown(() => {
    for (const client of clients) client.destroy();
  });
  const url = `http://gateway:open-sesame@127.0.0.1:${port}`;
  return {
    targets,
    passwords,
    get connections() {
      return clients.length;
    },
    env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, HTTPS_PROXY: url },
  };
}

const PASSWORD = `Basic ${Buffer.from('gateway:open-sesame').toString('base64')}`;

/** CometChat behind TLS, with the variables that lead to it. */
async function cometChat(t: Test) {
  const sandbox = await startSandbox(t, { tls: 'good' });
  const directory = t.testdir({ 'ca.pem': `${sandbox.ca}` });
  return {
    sandbox,
    host: new URL(sandbox.origin).host,
    env: { COMETCHAT_BASE_URL: sandbox.baseUrl, NODE_EXTRA_CA_CERTS: `${directory}/ca.pem` },
  };
}

t.test('with NODE_USE_ENV_PROXY=1 every outgoing call goes through the proxy', async (t) => {
  const proxy = await startProxy(t);
  const { sandbox, host, env } = await cometChat(t);
  const provider = await issuer(t);
  const receiver = await otlpReceiver(t);
  const { call, child } = await startProcess(t, {
    ...env,
    ...provider.env,
    ...proxy.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  });
  t.equal((await call({ tags: ['a'] }, await provider.keys[0]?.sign())).status, 200);
  child.process.kill('SIGTERM');
  await child.exit();
  t.equal(receiver.spans.length, 2);
  t.equal(sandbox.received, 1);
  t.strictSame(
    [...proxy.targets].sort(),
    [host, ...[provider.url, receiver.url].map((url) => new URL(url).host)].sort(),
  );
  t.strictSame([...proxy.passwords], [PASSWORD]);
});

t.test('hosts of NO_PROXY are called directly, and all are without NODE_USE_ENV_PROXY', async (t) => {
  const proxy = await startProxy(t);
  const { host, env } = await cometChat(t);
  for (const without of [{ NO_PROXY: host }, { NODE_USE_ENV_PROXY: undefined }]) {
    const { call } = await startProcess(t, { ...env, ...proxy.env, ...without });
    t.equal((await call()).status, 200);
  }
  t.equal(proxy.targets.size, 0);
});

t.test('a proxy that refuses is a 502, one that never answers a 504', async (t) => {
  const { sandbox, env } = await cometChat(t);
  const refuses: OnConnect = (_, client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  const hangsUp: OnConnect = (_, client) => client.end();
  const hangs: OnConnect = () => {};
  const cases = [
    [refuses, 502, 'proxy_refused'],
    [hangsUp, 502, 'proxy_refused'],
    [hangs, 504, 'timeout_connect'],
  ] as const;
  for (const [onConnect, status, type] of cases) {
    const proxy = await startProxy(t, onConnect);
    const { call, child } = await startProcess(t, {
      ...env,
      ...proxy.env,
      COMETCHAT_ATTEMPT_TIMEOUT_MS: '300',
    });
    t.equal((await call()).status, status);
    const [line] = await child.says(/\{.*"problem":"cometchat-.*\}/);
    t.match(JSON.parse(line), { error: { type }, retried: [type, type] });
    child.process.kill('SIGTERM');
    await child.exit();
    t.equal(proxy.connections, 3, 'one for each attempt');
  }
  t.equal(sandbox.received, 0);
});
