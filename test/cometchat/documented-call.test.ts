import http from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { startGateway } from '../helpers/gateway.ts';
import { listening } from '../helpers/ports.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { ME, OTHER } from '../helpers/tokens.ts';

t.test('the call is CometChat’s documented one, to the letter, whatever the server behind it', async (t) => {
  const calls: { line: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
  const server = http.createServer(async (request, response) => {
    const body = await text(request);
    calls.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    response.end(JSON.stringify(DOCUMENTED_REPLY));
  });
  const port = await listening(t, server);

  const { put } = await startGateway(t, { COMETCHAT_BASE_URL: `http://127.0.0.1:${port}/some/path/v3.0/` });
  const answer = await put({ tags: ['archived'], conversationWith: OTHER });

  t.strictSame(calls, [
    {
      line: `PUT /some/path/v3.0/users/${OTHER}/conversation`,
      headers: {
        apikey: API_KEY,
        onbehalfof: ME,
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': 'cometchat-gateway',
        host: `127.0.0.1:${port}`,
        connection: 'keep-alive',
        'content-length': '21',
      },
      body: '{"tags":["archived"]}',
    },
  ]);
  t.equal(answer.status, 200);
  t.strictSame(answer.json, {
    conversations: [
      {
        conversationId: 'group_project-group',
        conversationType: 'group',
        tags: ['archived'],
        unreadMessageCount: 0,
        createdAt: 1630071782,
        updatedAt: 1630481413,
        conversationWith: {
          guid: 'project-group',
          name: 'Project Group1',
          icon: 'https://assets.cometchat.io/sampleapp/v2/groups/cometchat-guid-1.webp',
        },
        lastMessage: {
          id: '50',
          sender: 'cometchat-uid-4',
          category: 'action',
          type: 'groupMember',
          sentAt: 1630305562,
        },
      },
    ],
  });
});
