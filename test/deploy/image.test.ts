import { readFileSync } from 'node:fs';
import t from 'tap';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
// The image's Node.js is never too old.
const START = JSON.parse(read('package.json')).scripts.start.replace(
  ' --require=./scripts/node-version.cjs',
  '',
);

t.test('the image starts the gateway as npm start does, V8’s options included', async (t) => {
  const [, command = ''] =
    /^CMD (\[.*\])$/m.exec(read('Dockerfile').split('FROM base AS gateway')[1] ?? '') ?? [];
  t.equal(JSON.parse(command).join(' '), START);
});

t.test('the image compiles the modules with the same options, without which the cache is none', async (t) => {
  const [, command = ''] = /^RUN (node --[^;]*) 2>/m.exec(read('Dockerfile')) ?? [];
  t.equal(command.replace(/ \\\n +/, ' '), START);
});
