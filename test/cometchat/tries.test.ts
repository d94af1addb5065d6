import t from 'tap';
import type { Call } from '../../src/cometchat/api.ts';
import { type CometChatId, cometChatId } from '../../src/cometchat/contract.ts';
import type { Place } from '../../src/cometchat/order.ts';
import { Tries } from '../../src/cometchat/tries.ts';
import { type Client, Write } from '../../src/cometchat/write.ts';
import { Metrics } from '../../src/operations/metrics.ts';
import { API_KEY } from '../helper.ts';
import { Sandbox } from '../sandbox/server.ts';

t.test('a try is not made in a turn that has gone by', async (t) => {
  const sandbox = await Sandbox.start({ apiKey: API_KEY });
  const log = { info() {}, warn() {}, error() {} };
  const config = {
    baseUrl: sandbox.baseUrl,
    apiKeys: [API_KEY],
    deadlineMs: 1000,
    attemptTimeoutMs: 1000,
    callsPerMinute: 2,
  };
  const tries = new Tries(config, { log, metrics: new Metrics(), redis: undefined });
  t.teardown(() => sandbox.close());
  t.teardown(() => tries.close());
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
  const id = cometChatId('cometchat-uid-1') as CometChatId;
  const call: Call = {
    onBehalfOf: id,
    peer: { type: 'user', id: cometChatId('cometchat-uid-2') as CometChatId },
    body: '{"tags":[]}',
  };
  const write = new Write(call.body, place, (self) => {
    self.deadline = performance.now() + 1000;
    return tries.make(self, call);
  });
  const client: Client = { gone: new AbortController().signal, deadline: performance.now() + 1000 };
  t.equal((await write.join(client)).ok, true, 'and its call of the quota was given back');
  t.equal(entered, 2);
  t.equal(sandbox.received, 1);
});
