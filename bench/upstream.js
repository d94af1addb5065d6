// A CometChat that answers everything with the documented payload, as fast as Node.js can.
import { readFileSync } from 'node:fs';
import http from 'node:http';

// Without the line breaks and blanks that make the documentation readable.
const documented = readFileSync(new URL('../sandbox/documented-reply.json', import.meta.url), 'utf8');
const document = JSON.parse(documented);

const HEADERS = { 'content-type': 'application/json' };
const reply = (body, status = 200) => [
  status,
  { ...HEADERS, 'content-length': Buffer.byteLength(body) },
  Buffer.from(body),
];
const notFound = reply('{"error":{"code":"ERR_API_NOT_FOUND"}}', 404);

/** The documented conversation, as a user sees it who has put tags on it, and as the one with that user. */
const conversationWith = (uid) => {
  const name = 'George Alan';
  const avatar = 'https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-3.webp';
  return {
    ...document.data[0],
    conversationId: `${uid}_user_me`,
    conversationType: 'user',
    tags: ['archived', 'inbox'],
    conversationWith: { uid, name, avatar, role: 'default', status: 'offline', createdAt: 1629869270 },
  };
};

const written = reply(JSON.stringify(document));
const PER_PAGE = 50;
const listed = reply(
  JSON.stringify({
    data: Array.from({ length: PER_PAGE }, (_, index) => conversationWith(`cometchat-uid-${index}`)),
    meta: {
      pagination: { total: 97, count: PER_PAGE, per_page: PER_PAGE, current_page: 1, total_pages: 2 },
    },
  }),
);
/** By path, made when it is first asked for: the load has few conversation partners. */
const read = new Map();
const readOne = (path) => {
  const [, uid] = /^\/v3\/users\/([^/]+)\/conversation$/.exec(path) ?? [];
  if (!uid) return notFound;
  const one = reply(JSON.stringify({ data: conversationWith(uid) }));
  read.set(path, one);
  return one;
};

const answerTo = ({ method, url }) => {
  if (method === 'PUT') return written;
  return url.startsWith('/v3/conversations?') ? listed : (read.get(url) ?? readOne(url));
};

const DELAY_MS = Number(process.env.DELAY_MS);

http
  .createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const answer = () => {
      const [status, headers, body] = answerTo(request);
      response.writeHead(status, headers).end(body);
    };
    request.resume().once('end', DELAY_MS > 0 ? () => setTimeout(answer, DELAY_MS) : answer);
  })
  .listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'));
