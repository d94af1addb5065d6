import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { jwtVerify } from 'jose';
import { apikey, audience, baseUrl, issuer, PORT, secret, slim } from './setting.js';

const key = new TextEncoder().encode(secret);
const app = new Hono();

app.put('/me/conversations/tags', async (context) => {
  let claims;
  try {
    const [, token = ''] = /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '') ?? [];
    claims = (await jwtVerify(token, key, { algorithms: ['HS256'], issuer, audience })).payload;
  } catch {
    return context.body(null, 401);
  }
  const { tags, conversationWith } = await context.req.json();
  const response = await fetch(`${baseUrl}/users/${conversationWith}/conversation`, {
    method: 'PUT',
    headers: { apikey, onBehalfOf: claims.sub, 'content-type': 'application/json' },
    body: JSON.stringify({ tags }),
    signal: AbortSignal.timeout(1500),
  });
  if (!response.ok) return context.body(null, 502);
  return context.json(slim(await response.json()));
});

serve({ fetch: app.fetch, port: Number(PORT), hostname: '127.0.0.1' }, () => console.log('ready'));
