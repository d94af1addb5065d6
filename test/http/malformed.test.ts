import t from 'tap';
import { parseAnswer } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { sign } from '../helpers/tokens.ts';

const START = 'PUT /me/conversations/tags HTTP/1.1\r\nHost: x\r\n';
const BODY = '{"tags":[]}';
const CHUNKED_BODY = `b\r\n${BODY}\r\n0\r\n\r\n`;

/** A good call up to its body, but for the fields that tell how long that is. */
const head = async (...fields: string[]) =>
  `${START}Authorization: Bearer ${await sign()}\r\nContent-Type: application/json\r\n${fields.join('\r\n')}\r\n\r\n`;

/** How the log has what Node.js' parser did not take. */
const PARSER = { error: { type: /^HPE_/ } };

t.test('bytes that are no HTTP are answered and logged as any other refused request', async (t) => {
  const { raw, refused } = await startGateway(t);
  for (const bytes of [
    'GARBAGE\r\n\r\n',
    'BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n',
    'PUT /me/conversations/tags HTTP/1.1\r\nHost x\r\n\r\n',
  ]) {
    const answer = await refused(t, () => raw(bytes), 400, 'body-malformed', { line: PARSER });
    t.equal(answer.headers.get('connection'), 'close');
  }
});

t.test('a body is refused whose end can be read in two ways', async (t) => {
  const { raw, refused } = await startGateway(t);
  for (const bytes of [
    (await head('Content-Length: 11', 'Transfer-Encoding: chunked')) + CHUNKED_BODY,
    (await head('Transfer-Encoding: chunked', 'Content-Length: 11')) + CHUNKED_BODY,
    (await head('Content-Length: 11', 'Content-Length: 12')) + BODY,
    (await head('Content-Length: 11, 11')) + BODY,
    (await head('Content-Length: ten')) + BODY,
    (await head('Content-Length: -11')) + BODY,
    (await head('Content-Length: +11')) + BODY,
    (await head('Content-Length: 0xb')) + BODY,
    (await head('Content-Length: 99999999999999999999')) + BODY,
    (await head('Transfer-Encoding : chunked')) + CHUNKED_BODY,
    (await head('X-Folded: a\r\n b', 'Content-Length: 11')) + BODY,
  ]) {
    await refused(t, () => raw(bytes), 400, 'body-malformed', { line: PARSER });
  }
});

t.test('what follows a body that was announced too short is never read as its rest', async (t) => {
  const { raw, requests, sandbox } = await startGateway(t);
  const bytes = await raw((await head('Content-Length: 10')) + BODY);
  t.equal(bytes.match(/HTTP\/1\.1 400/g)?.length, 1, 'the reply to the request itself');
  t.match(bytes, /connection: close/);
  t.match(requests(), [
    { problem: 'body-malformed', ...PARSER },
    { problem: 'body-malformed', method: 'PUT' },
  ]);
  t.equal(sandbox.received, 0);
});

t.test('a chunk without a right size is refused', async (t) => {
  const { raw, refused } = await startGateway(t);
  for (const chunk of [
    'xyz\r\n',
    '-1\r\n',
    'b \r\n',
    'ffffffffffffffffff\r\n',
    `b${BODY}`,
    `3\r\n${BODY}\r\n`,
  ]) {
    const bytes = `${await head('Transfer-Encoding: chunked')}${chunk}`;
    await refused(t, () => raw(bytes), 400, 'body-malformed', { line: PARSER });
  }
});

t.test('chunk extensions of more than 16 KiB get 413', async (t) => {
  const { raw, refused } = await startGateway(t);
  const bytes = `${await head('Transfer-Encoding: chunked')}1;${'x'.repeat(20_000)}`;
  const line = { error: { type: 'HPE_CHUNK_EXTENSIONS_OVERFLOW' } };
  await refused(t, () => raw(bytes), 413, 'body-too-large', { line });
});

t.test('header fields or an address of more than 16 KiB get 431', async (t) => {
  const { raw, refused } = await startGateway(t);
  for (const bytes of [
    await head(`X-Long: ${'x'.repeat(20_000)}`),
    await head(...Array(2000).fill('X-Many: x')),
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ]) {
    const line = { error: { type: 'HPE_HEADER_OVERFLOW' } };
    await refused(t, () => raw(bytes), 431, 'headers-too-large', { line });
  }
});

t.test('HTTP/1.1 needs one Host, HTTP/1.0 none, and neither takes two', async (t) => {
  const { raw, refused } = await startGateway(t);
  for (const start of [
    'GET /livez HTTP/1.1\r\n',
    'GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n',
    'GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n',
    'GET /livez HTTP/1.0\r\nHost: x\r\nHost: y\r\n',
    'GET /nothing HTTP/1.1\r\n',
    'GET /%ff HTTP/1.1\r\n',
    'OPTIONS /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n',
    'GET /livez HTTP/1.1\r\nHost: x, y\r\n',
    'GET /livez HTTP/1.1\r\nHost: x,y\r\n',
    'GET /livez HTTP/1.0\r\nHost: x y\r\n',
    'GET /livez HTTP/1.1\r\nHost: x/y\r\n',
    'GET /livez HTTP/1.1\r\nHost: user@x\r\n',
    'GET /livez HTTP/1.1\r\nHost: x:port\r\n',
  ]) {
    const answer = await refused(t, () => raw(`${start}\r\n`), 400, 'body-malformed', {
      line: { error: { type: 'HOST' } },
    });
    t.equal(answer.headers.get('connection'), 'close');
  }
  t.equal(parseAnswer(await raw('GET /livez HTTP/1.0\r\n\r\n')).status, 200);
  for (const host of [
    'x',
    'a-b.Example_1.com:8080',
    '10.0.0.1',
    '[2001:db8::1]:3000',
    'xn--mnchen-3ya.de',
    '',
  ]) {
    t.equal(parseAnswer(await raw(`GET /livez HTTP/1.0\r\nHost: ${host}\r\n\r\n`)).status, 200, host);
  }
});

t.test('no version of HTTP is taken but 1.0 and 1.1', async (t) => {
  const { raw, refused } = await startGateway(t);
  for (const version of ['0.9', '2.0', '1.2', '3.0']) {
    const answer = await refused(
      t,
      () => raw(`GET /livez HTTP/${version}\r\nHost: x\r\n\r\n`),
      400,
      'body-malformed',
      { line: { error: { type: /^HTTP_VERSION$|^HPE_/ } } },
    );
    t.equal(answer.headers.get('connection'), 'close');
  }
  const other = { line: { error: { type: /^HTTP_VERSION$|^HPE_/ } } };
  for (const bytes of ['GET /livez\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    await refused(t, () => raw(bytes), 400, 'body-malformed', other);
  }
});

t.test('no Transfer-Encoding is taken but chunked, and none in HTTP/1.0', async (t) => {
  const { raw, refused, sandbox } = await startGateway(t);
  const line = { error: { type: /^TRANSFER_ENCODING$|^HPE_/ } };
  const chunked = async (version: string, ...fields: string[]) =>
    (await head(...fields)).replace('HTTP/1.1', `HTTP/${version}`) + CHUNKED_BODY;
  for (const fields of [
    ['Transfer-Encoding: gzip, chunked'],
    ['Transfer-Encoding: chunked, chunked'],
    ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked, identity'],
    ['Transfer-Encoding: xchunked'],
    ['Transfer-Encoding: identity'],
    ['Transfer-Encoding: gzip'],
    ['Transfer-Encoding: chunked;q=1'],
    ['Transfer-Encoding: "chunked"'],
    ['Transfer-Encoding:'],
  ]) {
    for (const version of ['1.0', '1.1']) {
      const bytes = await chunked(version, ...fields);
      await refused(t, () => raw(bytes), 400, 'body-malformed', { line });
    }
  }
  const old = await chunked('1.0', 'Transfer-Encoding: chunked');
  await refused(t, () => raw(old), 400, 'body-malformed', { line });
  t.equal(sandbox.received, 0);
  for (const name of ['chunked', 'Chunked', ' chunked ']) {
    const bytes = await chunked('1.1', 'Connection: close', `Transfer-Encoding:${name}`);
    t.equal(parseAnswer(await raw(bytes)).status, 200, name);
  }
});

t.test('an expectation or upgrade that nobody knows is left alone, and the request served', async (t) => {
  const { raw } = await startGateway(t);
  for (const fields of [
    'Connection: close\r\nExpect: the-unexpected\r\n',
    'Connection: upgrade, close\r\nUpgrade: websocket\r\n',
  ]) {
    t.equal(parseAnswer(await raw(`GET /livez HTTP/1.1\r\nHost: x\r\n${fields}\r\n`)).status, 200);
  }
});

t.test('CONNECT gets a problem: this is no proxy', async (t) => {
  const { raw, refused } = await startGateway(t);
  const bytes = 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n';
  const line = { error: { type: 'CONNECT' } };
  const answer = await refused(t, () => raw(bytes), 404, 'route-not-found', { line });
  t.equal(answer.headers.get('connection'), 'close');
});
