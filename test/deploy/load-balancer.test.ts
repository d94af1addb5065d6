import http from 'node:http';
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
