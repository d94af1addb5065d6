import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const manifest = JSON.parse(read('package.json'));
// The image's Node.js is never too old.
const START = manifest.scripts.start
  .replace(' --require=./scripts/node-version.cjs', '')
  .replace('src/main.ts', 'scripts/start-in-image.ts');
const dockerfile = read('Dockerfile');
const compose = parse(read('docker-compose.yml'), { merge: true });

t.test('the image starts the gateway as npm start does, V8’s options included', async (t) => {
  const [, command = ''] = /^CMD (\[.*\])$/m.exec(dockerfile.split('FROM base AS gateway')[1] ?? '') ?? [];
  t.equal(JSON.parse(command).join(' '), START);
});

t.test('the image compiles the modules with the same options, without which the cache is none', async (t) => {
  const [, command = ''] = /^RUN (node --[^;]*) 2>/m.exec(dockerfile) ?? [];
  t.equal(command.replace(/ \\\n +/, ' '), START);
});

t.test('the image has the Node.js that the tests run with', async (t) => {
  const { node } = manifest.devDependencies;
  t.match(dockerfile, `FROM node:${node}-slim`);
  t.equal(read('.nvmrc').trim(), node);
  t.equal(process.version, `v${node}`);
});

t.test('every image that is not ours is of an exact version', async (t) => {
  const from = [...dockerfile.matchAll(/^FROM (\S+)(?: AS (\w+))?$/gm)];
  const stages = from.map(([, , stage]) => stage);
  const services: { image: string; build?: unknown }[] = Object.values(compose.services);
  const images = [
    ...from.map(([, image = '']) => image).filter((image) => !stages.includes(image)),
    ...services.filter(({ build }) => !build).map(({ image }) => image),
  ];
  t.equal(images.length, 3);
  for (const image of images) t.match(image, /^[a-z]+:\d+\.\d+\.\d+-[a-z]+(@sha256:[0-9a-f]{64})?$/);
});

t.test('the labels of the image say what package.json says', async (t) => {
  const label = (name: string) =>
    new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]*)"`).exec(dockerfile)?.[1];
  t.equal(label('title'), manifest.name);
  t.equal(label('description'), manifest.description);
  t.equal(label('licenses'), manifest.license);
  for (const name of ['version', 'revision', 'created', 'source']) {
    t.equal(label(name), `$${name.toUpperCase()}`);
    t.match(dockerfile, new RegExp(`^ARG ${name.toUpperCase()}\\b`, 'm'));
  }
  t.match(dockerfile, `\nARG VERSION=${manifest.version}\n`);
});

t.test('every file that the image is made of reaches Docker', async (t) => {
  const [, ...let_in] = read('.dockerignore').trim().split('\n');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, files = '']) =>
    files.split(' '),
  );
  t.strictSame(let_in.map((line) => line.slice(1)).sort(), [...new Set(copied)].sort());
});
