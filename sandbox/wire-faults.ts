import { gzipSync } from 'node:zlib';
import { GROUPS, groupDocument, makeUser, userDocument } from './documents.ts';
import type { Fault, NamedFault } from './faults.ts';

const ENDLESS = 1_000_000_000;
const NEVER_MS = 2 ** 31 - 1;
const MIB = 1024 * 1024;

/** A true-looking body, and one of a conversation that nobody asked for. */
const BODY = JSON.stringify({ data: groupDocument(GROUPS[0], ['a']) });
const STRAY_BODY = JSON.stringify({ data: userDocument(makeUser(2), makeUser(3), ['not-for-you']) });

const head = (statusLine: string, ...fields: string[]): string =>
  [`HTTP/1.1 ${statusLine}`, 'Content-Type: application/json', ...fields, '', ''].join('\r\n');
const reply = (statusLine: string, body: string): string =>
  head(statusLine, `Content-Length: ${body.length}`) + body;

const raw =
  (...pieces: NonNullable<Fault['raw']>) =>
  (): Fault[] => [{ raw: pieces }];
/** The same on a connection that stays open. */
const keptOpen =
  (...pieces: NonNullable<Fault['raw']>) =>
  (): Fault[] => [{ raw: pieces, keepOpen: true }];
const gzipped = (bytes: Buffer): Fault[] => {
  const fields = ['Content-Encoding: gzip', `Content-Length: ${bytes.length}`];
  return [{ raw: [head('200 OK', ...fields) + bytes.toString('latin1')], keepOpen: true }];
};

/** The parts of a gzip file are unpacked one after the other, so the large one is packed once. */
const bomb = (): Buffer => {
  const part = gzipSync('x'.repeat(MIB));
  return Buffer.concat([gzipSync('{"data": "'), ...Array(64).fill(part), gzipSync('"}')]);
};

/** What goes wrong with a connection that stands, and with HTTP. */
export const WIRE_FAULTS = {
  'reset-before-headers': {
    about: 'The connection breaks off instead of a reply; the write is done',
    faults: () => [{ reset: 'before-headers' }],
  },
  'reset-on-arrival': {
    about:
      'The connection breaks off as soon as the request is there, as an idle one does; nothing is written',
    faults: () => [{ reset: 'on-arrival' }],
  },
  'reset-in-body': {
    about: 'The connection breaks off in the middle of the body; the write is done',
    faults: () => [{ reset: 'in-body' }],
  },
  silence: { about: 'No answer ever; nothing is written', faults: raw({ pauseMs: NEVER_MS }) },
  'first-byte-late': {
    about: 'The reply comes after 30 seconds; the write is done',
    faults: () => [{ delayMs: 30_000 }],
  },
  'body-drips': {
    about: 'The body comes a byte every 50 ms; the write is done',
    faults: () => [{ dripMs: 50 }],
  },
  'body-cut-short': {
    about: 'FIN in the middle of the body',
    faults: raw(reply('200 OK', BODY).slice(0, -BODY.length / 2)),
  },
  'bytes-after-body': {
    about: 'Bytes after the body, in the same write',
    faults: keptOpen(`${reply('200 OK', BODY)}and more`),
  },
  'reply-nobody-asked-for': {
    about: 'A second reply, about somebody else, 30 ms after the first one on the same connection',
    faults: keptOpen(reply('200 OK', BODY), { pauseMs: 30 }, reply('200 OK', STRAY_BODY)),
  },
  'header-flood': {
    about: 'Header lines without end',
    faults: raw('HTTP/1.1 200 OK\r\n', { repeat: `X-Flood: ${'x'.repeat(100)}\r\n`, times: ENDLESS }),
  },
  'body-over-cap': {
    about: 'A body without end, and without a Content-Length',
    faults: raw(`${head('200 OK', 'Connection: close')}{"data": "`, { repeat: 'x', times: ENDLESS }),
  },
  'gzip-bomb': {
    about: 'A body of 64 KiB that unpacks to 64 MiB',
    faults: () => gzipped(bomb()),
  },
  'gzip-corrupt': {
    about: 'A body that says gzip and is broken in the middle',
    faults: () => {
      const bytes = gzipSync(BODY);
      return gzipped(bytes.fill(0, Math.floor(bytes.length / 2)));
    },
  },
  redirect: {
    about: 'A redirect to another host, which must not get the key',
    faults: () => [
      {
        status: 307,
        headers: { location: 'https://elsewhere.example/v3/users/cometchat-uid-1/conversation' },
      },
    ],
  },
  'informational-flood': {
    about: 'Informational replies without end',
    faults: raw({ repeat: 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', times: ENDLESS }),
  },
  'no-content-with-body': { about: '204 with a body', faults: keptOpen(reply('204 No Content', BODY)) },
  'not-modified-with-body': { about: '304 with a body', faults: keptOpen(reply('304 Not Modified', BODY)) },
  'switching-protocols': {
    about: '101, which nobody asked for',
    faults: keptOpen('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  },
} satisfies Record<string, NamedFault>;
