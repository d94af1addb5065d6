import t from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { Child } from '../helpers/process.ts';
import { sign } from '../helpers/tokens.ts';

t.test('the client works without what React Native does not have', async (t) => {
  const { origin } = await startGateway(t);
  const program = new Child(t, ['test/client/old-platform.ts', origin, await sign()]);
  const [json] = await program.says(/^\{.*\}$/m);
  t.strictSame(JSON.parse(json), {
    set: ['a', 'b'],
    page: { page: 1, perPage: 1, hasMore: false },
    refused: 'GatewayError body-invalid',
    abortedBefore: 'AbortError',
    abortedDuring: 'AbortError',
    late: 'GatewayError timeout',
  });
  t.equal(await program.exit(), 0);
});
