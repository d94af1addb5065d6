import t, { type Test } from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import type { Method } from '../../sandbox/faults.ts';
import { FAULTS, LIES } from '../../soak/faults.ts';
import type { Answer } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer, ME } from '../helpers/tokens.ts';

/** The conversation that the catalogue's good answers are about, so that nothing but their tags is wrong. */
const GUID = 'cometchat-guid-1';
const TARGET = { conversationWith: GUID, conversationType: 'group' };
/** So that what never answers is soon over. */
const SOON = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '100', COMETCHAT_DEADLINE_MS: '250' };

t.test('no fault that the soak plays makes a gateway tell what is not so', async (t) => {
  const lies = await liesOf(t, FAULTS);
  t.strictSame(lies, []);
});

t.test('every fault that it leaves out as a lie is one, to reads and to writes', async (t) => {
  const lies = await liesOf(t, LIES);
  for (const name of LIES) for (const call of ['PUT', 'GET']) t.ok(lies.includes(`${name}: ${call}`), name);
});

/** @returns the faults with the calls that got a 200 with tags that CometChat does not have */
async function liesOf(t: Test, names: readonly Name[]): Promise<string[]> {
  const { sandbox, put, getTags, list, get } = await startGateway(t, SOON);
  const headers = { 'content-type': 'application/json', ...(await bearer()) };
  const patch = () =>
    get('/me/conversations/tags', {
      method: 'PATCH',
      headers,
      body: JSON.stringify({ add: ['more'], ...TARGET }),
    });
  const calls: readonly (readonly [call: string, Method, () => Promise<Answer>])[] = [
    ['PUT', 'PUT', () => put({ tags: ['new'], ...TARGET })],
    ['PATCH that reads', 'GET', patch],
    ['PATCH that writes', 'PUT', patch],
    ['GET', 'GET', () => getTags(TARGET)],
    ['list', 'GET', () => list({ conversationType: 'group' })],
  ];
  const lies: string[] = [];
  for (const name of names) {
    for (const [call, method, send] of calls) {
      sandbox.world.update(ME, 'groups', GUID, { tags: ['old'] });
      sandbox.play(name, 1, method);
      const { status, json } = await send();
      sandbox.forget();
      if (status === 200 && `${tagsIn(json)}` !== `${sandbox.world.tags(ME, 'groups', GUID)}`) {
        lies.push(`${name}: ${call}`);
      }
    }
  }
  return lies;
}

const tagsIn = (json: unknown): readonly string[] | undefined =>
  (json as { conversations: { tags?: string[]; conversationWith: { guid?: string } }[] }).conversations.find(
    ({ conversationWith }) => conversationWith.guid === GUID,
  )?.tags;
