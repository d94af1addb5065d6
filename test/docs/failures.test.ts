import t from 'tap';
import { PROBLEMS } from '../../src/base/problems.ts';
import { BY_CODE, failedReply } from '../../src/cometchat/errors.ts';
import { codeIn, pageOf, rowsIn, sectionOf } from '../helpers/docs-page.ts';

const page = pageOf('failures.md');

t.test('the table of statuses says what the gateway makes of each', async (t) => {
  const rows = rowsIn(sectionOf(page, '## Proxies and CDNs'));
  const numbersIn = (cell = '') => [...cell.matchAll(/\d{3}/g)].map(([status]) => Number(status));
  const all = Array.from({ length: 200 }, (_, index) => 400 + index);
  const named = rows.flatMap(([statuses]) => numbersIn(statuses));
  t.equal(new Set(named).size, named.length, 'none is in two rows');
  for (const [statuses = '', meaning, retry, inDoubt] of rows) {
    const [, hundreds] = /every other (\d)xx/.exec(statuses) ?? [];
    const others = all.filter((status) => !named.includes(status) && String(status)[0] === hundreds);
    const [problem] = codeIn(meaning);
    for (const status of [...numbersIn(statuses), ...others]) {
      const failure = failedReply(status, undefined);
      t.equal(failure.isTransient, retry === 'yes', `${status}: retry`);
      t.equal(failure.isInDoubt, inDoubt === 'yes', `${status}: in doubt`);
      if (problem) t.equal(failure.problem, problem, `${status}`);
      t.equal(failure.isKeyRefused, /key is refused/.test(meaning ?? ''), `${status}: key`);
    }
  }
  t.ok(
    all.every(
      (status) => named.includes(status) || rows.some(([cell]) => cell?.includes(`${`${status}`[0]}xx`)),
    ),
  );
});

t.test('CometChat’s codes for trouble are those that lead to a retry', async (t) => {
  const [, sentence = ''] = /codes\s+for\s+trouble\s+are\s+([^.]*)\./.exec(page) ?? [];
  const failed = Object.entries(BY_CODE).filter(([, { problem }]) => problem === 'cometchat-failed');
  t.strictSame(codeIn(sentence).sort(), failed.map(([code]) => code).sort());
  t.ok(failed.every(([, { isTransient }]) => isTransient));
});

t.test('each status and code of a problem belong together', async (t) => {
  const statuses = Object.fromEntries(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]));
  const pairs = [...page.matchAll(/\b(\d{3})\s`([a-z-]+)`/g)];
  t.ok(pairs.length > 20);
  for (const [pair, status, code = ''] of pairs) t.equal(statuses[code], Number(status), pair);
});
