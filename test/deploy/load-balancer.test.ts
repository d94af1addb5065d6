import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { startNginx } from '../helpers/nginx.ts';
import { listening } from '../helpers/ports.ts';

testWith('nginx', 'a request that breaks off at one gateway is passed on to the other', async (t) => {
  const lost: string[] = [];
  const gone = http.createServer(({ method = '', socket }) => {
    lost.push(method);
    socket.destroy();
  });
  const good = http.createServer((_request, response) => response.end('{}'));
  const origin = await startNginx(t, [await listening(t, gone), await listening(t, good)]);
  for (const method of ['GET', 'PUT', 'PATCH']) {
    lost.length = 0;
    // Each gateway has its turn.
    for (let turn = 0; turn < 2; turn += 1) {
      const body = method === 'GET' ? null : '{}';
      const { status } = await fetch(`${origin}/me/conversations/tags`, { method, body });
      t.equal(status, 200, method);
    }
    t.strictSame(lost, [method]);
  }
});

/** Makes a request whose path is sent as it is. @returns all of the answer but what each has for itself */
async function ask(origin: string, path: string, method = 'GET') {
  const request = http.request(origin, { path, method, agent: false }).end();
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  const {
    connection,
    date,
    server,
    'content-length': length,
    'x-request-id': requestId = '',
    ...headers
  } = answer.headers;
  return { status: answer.statusCode, headers, body: (await text(answer)).replace(String(requestId), '') };
}

testWith(
  'nginx',
  'the probes are not passed on: clients are answered as at any unknown address',
  async (t) => {
    const { port, origin } = await startGateway(t);
    t.equal((await ask(origin, '/readyz')).status, 200, 'whoever asks the gateway itself is answered');
    const nginx = await startNginx(t, [port, port]);
    const unknown = await ask(nginx, '/unknown');
    t.match(unknown, { status: 404, body: '"code":"route-not-found"' });
    const same = ['/livez?a', '/%72eadyz', '//livez', '/me/../readyz', '/readyz#a', `${nginx}/readyz`];
    for (const path of ['/livez', '/readyz', ...same]) {
      for (const method of ['GET', 'POST']) {
        t.strictSame(
          await ask(nginx, path, method),
          await ask(nginx, '/unknown', method),
          `${method} ${path}`,
        );
      }
    }
  },
);
