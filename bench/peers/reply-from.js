import replyFrom from '@fastify/reply-from';
import { fastify } from 'fastify';
import { jwtVerify } from 'jose';
import { apikey, audience, baseUrl, issuer, PORT, secret } from './setting.js';

const key = new TextEncoder().encode(secret);
const { origin, pathname } = new URL(baseUrl);
const app = fastify();
await app.register(replyFrom, { base: origin });

app.put('/me/conversations/tags', async (request, reply) => {
  let claims;
  try {
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    claims = (await jwtVerify(token, key, { algorithms: ['HS256'], issuer, audience })).payload;
  } catch {
    return reply.code(401).send();
  }
  const { tags, conversationWith } = request.body;
  return reply.from(`${pathname}/users/${conversationWith}/conversation`, {
    body: { tags },
    rewriteRequestHeaders: (_request, { authorization, ...headers }) => ({
      ...headers,
      apikey,
      onBehalfOf: claims.sub,
    }),
  });
});

await app.listen({ port: Number(PORT), host: '127.0.0.1' });
console.log('ready');
