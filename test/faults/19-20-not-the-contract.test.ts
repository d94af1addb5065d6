import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { upstream } from './upstream.ts';

const unknownForm = (mismatch: string) => ({
  answer: [502, 'cometchat-reply-invalid'] as const,
  calls: 1,
  line: { level: 'warn', cometchat: { status: 200 }, error: { type: 'reply_invalid' }, mismatch },
  moved: { 'problems cometchat-reply-invalid': 1, 'attempts cometchat-reply-invalid': 1 },
});

t.test('19: what is no JSON, or does not say so', async (t) => {
  for (const name of ['19-broken-json', '19-html', '19-wrong-content-type', '19-bom'] satisfies Name[]) {
    const { meets, sandbox } = await upstream(t);
    sandbox.play(name);
    t.comment(name);
    await meets(t, unknownForm('no JSON'));
  }
});

t.test(
  '20: a field that is missing or of another type: the log says where and what was expected, without values',
  async (t) => {
    const { meets, sandbox, requests } = await upstream(t);
    sandbox.play('20-field-missing');
    await meets(t, unknownForm('/data/conversationId: Expected required property'));
    sandbox.play('20-field-wrong-type');
    await meets(t, unknownForm('/data/conversationId: Expected string'));
    t.notMatch(JSON.stringify(requests()), /project-group|Project|Hiking|nine/);
  },
);

t.test('20: a field that is new does no harm, and does not come through', async (t) => {
  const { meets, sandbox } = await upstream(t);
  sandbox.play('20-field-extra');
  await meets(t, {
    answer: 200,
    calls: 1,
    line: { level: 'info', mismatch: undefined },
    moved: { 'attempts ok': 1 },
  });
});
