import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';

t.test('SECURITY.md names tests that exist', async (t) => {
  const security = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8');
  const table = security.slice(security.indexOf('| promise | held by |'), security.indexOf('## What is no'));
  const names = [...table.matchAll(/`test\/([^`]+)`/g)].map(([, name = '']) => name);
  t.ok(names.length > 20);
  const missing = names.filter(
    (name) =>
      !['.test.ts', '.slow.ts'].some((end) => existsSync(new URL(`../${name}${end}`, import.meta.url))),
  );
  t.strictSame(missing, []);
});
