import t from 'tap';
import { body, fold } from '../../scripts/demo/screen.ts';

const DOCUMENT = {
  data: {
    conversationId: 'cometchat-uid-3_user_cometchat-uid-4',
    tags: ['archived', 'vip'],
    text: 'two\nlines, and "quotes": {',
    members: Array.from({ length: 40 }, (_, index) => `cometchat-uid-${index}`),
    nothing: {},
  },
};

t.test('JSON is shown in lines that fit the screen, with nothing lost', async (t) => {
  const lines = body(JSON.stringify(DOCUMENT));
  t.ok(lines.length > 40);
  t.ok(lines.every((line) => line.length <= 97));
  t.ok(lines.includes('    "tags": ["archived", "vip"],'));
  t.strictSame(JSON.parse(lines.join('\n')), DOCUMENT);
  t.strictSame(body('{"tags":[]}'), ['{"tags": []}']);
});

t.test('what is left out is left out by whole lines, and counted', async (t) => {
  const lines = body(JSON.stringify(DOCUMENT));
  t.strictSame(body(JSON.stringify(DOCUMENT), 4), [...lines.slice(0, 4), `… ${lines.length - 4} more lines`]);
  t.strictSame(
    body(JSON.stringify(DOCUMENT), lines.length - 1),
    lines,
    'one line takes no more room than its count',
  );
});

t.test('a body that is no JSON is shown, too', async (t) => {
  t.strictSame(body('<h1>Bad gateway</h1>'), ['"<h1>Bad gateway</h1>"']);
  t.strictSame(body(''), ['""']);
});

t.test('long lines break between fields or words, and colours take no room', async (t) => {
  const fields = Array.from({ length: 9 }, (_, index) => `"number${index}":"${'x'.repeat(20)}"`).join();
  const lines = fold(`INFO: request {${fields}}`);
  t.ok(lines.length > 1 && lines.every((line) => line.length <= 97));
  t.equal(lines.map((line) => line.trimStart()).join(''), `INFO: request {${fields}}`);
  const green = `${'\u001b[32m'.repeat(30)}green`;
  t.strictSame(fold(green), [green]);
  const word = 'x'.repeat(120);
  t.strictSame(fold(word), [word], 'a word stays whole');
});
