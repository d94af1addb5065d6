import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';

// CONTRIBUTING.md has this table, and says why it is so.
const ROOMS = {
  base: [],
  redis: ['base'],
  http: ['base'],
  operations: ['base', 'http'],
  session: ['base', 'http', 'redis'],
  limits: ['base', 'http', 'redis'],
  identity: ['base', 'http'],
  cometchat: ['base', 'redis'],
  conversations: ['base', 'http', 'cometchat'],
  // The parsers and config types of all rooms; no room imports config.
  config: [
    'base',
    'redis',
    'http',
    'operations',
    'session',
    'limits',
    'identity',
    'cometchat',
    'conversations',
  ],
} as const;
type Room = keyof typeof ROOMS;

/** Packages that the way to CometChat must not know. */
const NO_FASTIFY = /^(?:fastify|fastify-plugin|@fastify\/.*)$/;

const SRC = new URL('../src/', import.meta.url).pathname;

/** What each file of `src` imports, types and dynamic imports included, as paths below `src` or as package names. */
const files = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, importsOf(file)]),
);

function importsOf(file: string): string[] {
  const source = readFileSync(path.join(SRC, file), 'utf8');
  const specifiers = [...source.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)'([^']+)'/g)].map(
    ([, to = '']) => to,
  );
  return specifiers.map((to) => (to.startsWith('.') ? path.join(path.dirname(file), to) : to));
}

const roomOf = (file: string): Room | undefined => {
  const [room = '', ...rest] = file.split('/');
  return rest.length > 0 ? (room as Room) : undefined;
};

t.test('every room is in the table, and only the process and the app lie beside them', async (t) => {
  const rooms = new Set([...files.keys()].map(roomOf).filter((room) => room !== undefined));
  t.strictSame([...rooms].sort(), Object.keys(ROOMS).sort());
  t.strictSame(
    [...files.keys()].filter((file) => !roomOf(file)),
    ['app.ts', 'main.ts'],
  );
});

t.test('no room imports another one that the table does not name', async (t) => {
  for (const [file, imports] of files) {
    const room = roomOf(file);
    if (!room) continue;
    for (const to of imports.filter((one) => files.has(one))) {
      const other = roomOf(to);
      const isAllowed = other === room || (ROOMS[room] as readonly (Room | undefined)[]).includes(other);
      t.ok(isAllowed, `${file} -> ${to}`);
    }
  }
});

t.test('base, redis and cometchat do not know Fastify', async (t) => {
  for (const [file, imports] of files) {
    if (!/^(?:base|redis|cometchat)\//.test(file)) continue;
    for (const to of imports) t.notMatch(to, NO_FASTIFY, `${file} -> ${to}`);
  }
});

t.test('no files import one another in a circle', async (t) => {
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) t.fail([...way.slice(way.indexOf(file)), file].join(' -> '));
    if (way.includes(file) || done.has(file)) return;
    for (const to of files.get(file) ?? []) if (files.has(to)) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of files.keys()) visit(file, []);
  t.equal(done.size, files.size);
});

t.test('every file of src is imported, but for the process itself', async (t) => {
  const imported = new Set([...files.values()].flat());
  t.strictSame(
    [...files.keys()].filter((file) => !imported.has(file)),
    ['main.ts'],
  );
});

t.test('no file of src is longer than 200 lines', async (t) => {
  for (const file of files.keys()) {
    const lines = readFileSync(path.join(SRC, file), 'utf8').split('\n').length - 1;
    t.ok(lines <= 200, `${file}: ${lines}`);
  }
});
