import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { parseAnswer } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer, OTHER } from '../helpers/tokens.ts';

const line = `GET /me/conversations/tags?conversationWith=${OTHER} HTTP/1.1`;

t.test('a GET with a body is answered, and its connection closed: the body is not read', async (t) => {
  const { port } = await startGateway(t);
  const { authorization } = await bearer();
  for (const field of ['Content-Length: 1000000000', 'Transfer-Encoding: chunked']) {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${line}\r\nHost: gateway\r\nAuthorization: ${authorization}\r\n${field}\r\n\r\n`);
    // It never sends the rest.
    const answer = parseAnswer(await text(socket));
    t.equal(answer.status, 200, field);
    t.equal(answer.headers.get('connection'), 'close');
  }
});

t.test('a GET without a body keeps its connection', async (t) => {
  const { getTags, get } = await startGateway(t);
  t.equal((await getTags({ conversationWith: OTHER })).headers.get('connection'), 'keep-alive');
  t.equal((await get('/livez')).headers.get('connection'), 'keep-alive');
});
