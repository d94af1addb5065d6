import http from 'node:http';
import axios from 'axios';
import express from 'express';
import jwt from 'jsonwebtoken';
import { apikey, audience, baseUrl, issuer, PORT, secret, slim } from './setting.js';

const cometchat = axios.create({
  baseURL: baseUrl,
  timeout: 1500,
  headers: { apikey },
  httpAgent: new http.Agent({ keepAlive: true }),
});

const app = express();
app.use(express.json());

app.put('/me/conversations/tags', async (request, response) => {
  let claims;
  try {
    const [, token = ''] = /^Bearer (.+)$/.exec(request.get('authorization') ?? '') ?? [];
    claims = jwt.verify(token, secret, { algorithms: ['HS256'], issuer, audience });
  } catch {
    return response.sendStatus(401);
  }
  const { tags, conversationWith } = request.body;
  const { data } = await cometchat.put(
    `/users/${conversationWith}/conversation`,
    { tags },
    { headers: { onBehalfOf: claims.sub } },
  );
  response.json(slim(data));
});

app.listen(PORT, '127.0.0.1', () => console.log('ready'));
