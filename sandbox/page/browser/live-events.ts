import type { CometChatEvent, ModeState } from './events.ts';

const AGAIN_MS = 500;

interface Listener {
  /** Called whenever the stream of events begins, or begins anew. */
  readonly opened: () => void;
  readonly mode: (state: ModeState) => void;
  readonly cometChat: (event: CometChatEvent) => void;
}

/**
 * Listens to the sandbox while the tab is visible. A browser has six connections to a host, and each listening tab takes
 * one of them.
 *
 * @returns when it listens
 */
export function listen({ opened, mode, cometChat }: Listener): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let events: EventSource | undefined;
  const open = () => {
    events = new EventSource('/page/events');
    events.addEventListener('open', opened);
    events.addEventListener('mode', ({ data }) => {
      mode(JSON.parse(data));
      resolve();
    });
    for (const type of ['call', 'reply']) {
      events.addEventListener(type, ({ data }) => cometChat(JSON.parse(data)));
    }
    events.addEventListener('error', ({ currentTarget }) => {
      // A refusal is final. A sandbox that starts refuses until it has the page.
      if ((currentTarget as EventSource).readyState === EventSource.CLOSED) setTimeout(turn, AGAIN_MS);
    });
  };
  const turn = () => {
    const isOpen = events !== undefined && events.readyState !== EventSource.CLOSED;
    if (document.hidden) events?.close();
    else if (!isOpen) open();
  };
  document.addEventListener('visibilitychange', turn);
  turn();
  return promise;
}
