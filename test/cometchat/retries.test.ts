import t, { type Test } from 'tap';
import { Sandbox } from '../../sandbox/server.ts';
import { type CometChatId, cometChatId } from '../../src/cometchat/conversation.ts';
import type { Call } from '../../src/cometchat/exchange.ts';
import type { Place } from '../../src/cometchat/lease.ts';
import { Tries } from '../../src/cometchat/retries.ts';
import { Write } from '../../src/cometchat/write.ts';
import { API_KEY, edges } from '../helper.ts';

const id = (text: string) => cometChatId(text) as CometChatId;
const CALL: Call = {
  onBehalfOf: id('cometchat-uid-1'),
  peer: { type: 'user', id: id('cometchat-uid-2') },
  body: '{"tags":[]}',
};

/** Makes a write whose client waits for so long, in the place given. */
async function make(t: Test, ms: number, place?: Place) {
  const sandbox = await Sandbox.start({ apiKey: API_KEY });
  const times = { deadlineMs: 1000, attemptTimeoutMs: 1000 };
  const config = { baseUrl: sandbox.baseUrl, apiKeys: { current: [API_KEY] }, callsPerMinute: 2, ...times };
  const tries = new Tries(config, edges());
  t.teardown(() => sandbox.close());
  t.teardown(() => tries.close());
  const deadline = performance.now() + ms;
  const write = new Write(CALL.body, place, (self) => {
    self.deadline = deadline;
    return tries.make(self, CALL);
  });
  const outcome = await write.join({ gone: new AbortController().signal, deadline });
  return { outcome, sandbox };
}

t.test('a try is not made in a turn that has gone by', async (t) => {
  let entered = 0;
  const place = {
    enter: async () => {
      entered += 1;
    },
    get isHeld() {
      return entered > 1;
    },
    leave() {},
  } as unknown as Place;
  const { outcome, sandbox } = await make(t, 1000, place);
  t.equal(outcome.ok, true, 'and its call of the quota was given back');
  t.equal(entered, 2);
  t.equal(sandbox.received, 1);
});

t.test('nor without the time for it', async (t) => {
  const { outcome, sandbox } = await make(t, 30);
  t.match(outcome, { problem: 'cometchat-timeout', errorType: 'deadline' });
  t.equal(sandbox.received, 0);
});
