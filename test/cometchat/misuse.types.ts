import { cometChatId } from '../../src/base/caller.ts';
import type { Client, Requester } from '../../src/cometchat/call.ts';
import { getConversation, setTags } from '../../src/cometchat/operations.ts';

// Nothing but a checked id can be given to CometChat's client as user or conversation. `npm run check` compiles this, and fails
// where one of these is no error.

const client: Client = { gone: new AbortController().signal, deadline: 0 };

export const MISUSE: readonly (() => unknown)[] = [
  // @ts-expect-error a string from anywhere is no user
  (): Requester & Client => ({ ...client, onBehalfOf: 'anybody' }),
  // @ts-expect-error an id that was not legal is undefined
  (): Requester & Client => ({ ...client, onBehalfOf: cometChatId('A') }),
  // @ts-expect-error there is no call without a user
  (): Requester & Client => client,
  // @ts-expect-error a string from anywhere is no conversation
  () => setTags({ type: 'user', id: 'anything' }, []),
  // @ts-expect-error it can be read no more than written
  () => getConversation({ type: 'group', id: 'anything' }),
  // @ts-expect-error nor is an id that was not legal
  () => setTags({ type: 'user', id: cometChatId('A') }, []),
];
