// A CometChat that answers everything with the documented payload, as fast as Node.js can.
import { readFileSync } from 'node:fs';
import http from 'node:http';

// Without the line breaks and blanks that make the documentation readable.
const documented = readFileSync(new URL('../sandbox/documented-reply.json', import.meta.url), 'utf8');
const body = Buffer.from(JSON.stringify(JSON.parse(documented)));
const headers = { 'content-type': 'application/json', 'content-length': body.length };

http
  .createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    request.resume().once('end', () => response.writeHead(200, headers).end(body));
  })
  .listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'));
