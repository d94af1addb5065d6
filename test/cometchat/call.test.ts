import http from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { cometChatId } from '../../src/base/caller.ts';
import type { Client, Requester } from '../../src/cometchat/call.ts';
import { setTags } from '../../src/cometchat/operations.ts';
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

t.test('nothing but a checked id can be given to the client as user or conversation', async (t) => {
  // Compiled by `npm run check`, which fails where one of these is no error.
  const client: Client = { gone: new AbortController().signal, deadline: 0 };
  const misuse: (() => unknown)[] = [
    // @ts-expect-error a string from anywhere is no user
    (): Requester & Client => ({ ...client, onBehalfOf: 'anybody' }),
    // @ts-expect-error an id that was not legal is undefined
    (): Requester & Client => ({ ...client, onBehalfOf: cometChatId('A') }),
    // @ts-expect-error there is no call without a user
    (): Requester & Client => client,
    // @ts-expect-error a string from anywhere is no conversation
    () => setTags({ type: 'user', id: 'anything' }, []),
    // @ts-expect-error nor is an id that was not legal
    () => setTags({ type: 'user', id: cometChatId('A') }, []),
  ];
  t.type(misuse, Array);
});
