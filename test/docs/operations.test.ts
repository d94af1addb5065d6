import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { serverOptions } from '../../src/app.ts';
import { codeIn, pageOf, rowsIn, sectionOf } from '../helpers/docs-page.ts';
import { startGateway } from '../helpers/gateway.ts';
import { sourceText } from '../helpers/source-text.ts';

const page = pageOf('operations.md');
t.test('the states in /readyz are those of its schema', async (t) => {
  const openapi = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'));
  const { cometchat, redis } = openapi.components.schemas.Ready.properties;
  const states = rowsIn(sectionOf(page, '## Probes')).flatMap(([, value]) => codeIn(value));
  t.strictSame(
    states.filter((state) => /^[a-z]+$/.test(state)),
    [...cometchat.enum, ...redis.enum],
  );
});

t.test('the gateway keeps an idle connection as long as the page says', async (t) => {
  const { log } = (await startGateway(t)).app;
  const [, seconds] = /The gateway closes them after (\d+) seconds/.exec(page) ?? [];
  t.equal(serverOptions(log, []).keepAliveTimeout, Number(seconds) * 1000);
});

t.test('the lines of the log that a rotation waits for are in the code', async (t) => {
  const lines = [...page.matchAll(/^- `(the secrets [^`]+)`/gm)].map(([, line = '']) => line);
  t.equal(lines.length, 2);
  for (const line of lines) t.ok((await sourceText()).includes(`'${line}'`), line);
});
