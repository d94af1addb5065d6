import type { ModeId, ModeState } from './events.ts';

/** What CometChat, or the session, can be made to do. */
export interface Mode {
  readonly id: ModeId;
  readonly label: string;
  /** What CometChat does, and what the app gets. */
  readonly effect: string;
}

// biome-ignore format: one switch a line
export const MODES: readonly [Mode, ...Mode[]] = [
  { id: 'works', label: 'Works', effect: 'CometChat answers at once. The app gets 200.' },
  { id: 'slow', label: 'Slow', effect: 'CometChat takes half a second for each call. The app gets 200, later.' },
  { id: 'silent', label: 'Silent', effect: 'CometChat never answers. The app gets 504 cometchat-timeout.' },
  { id: 'down', label: 'Down', effect: 'CometChat breaks every connection. The app gets 502 cometchat-failed.' },
  { id: 'rate-limited', label: 'Rate-limited', effect: 'CometChat answers 429 with Retry-After: 2. The app gets 503 cometchat-busy.' },
  { id: 'wrong', label: 'Wrong reply', effect: 'CometChat answers 200 with half a JSON document. The app gets 502 cometchat-reply-invalid.' },
  { id: 'expired', label: 'Token expired', effect: 'CometChat works. The app gets 401 session-expired, takes a new token and sends the request again.' },
];

/** The switches of this page. Other open pages turn them, too. */
export class Switches {
  #state: ModeState;
  readonly #changed: () => void;
  /** What was picked here, until the sandbox has it. */
  #picked: Mode | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(state: ModeState, changed: () => void) {
    this.#state = state;
    this.#changed = changed;
  }

  get mode(): Mode {
    return this.#picked ?? MODES.find(({ id }) => id === this.#state.mode) ?? MODES[0];
  }

  /** Sends what is picked in the order in which it is picked. */
  pick(mode: Mode): void {
    this.#picked = mode;
    this.#changed();
    this.#sending = this.#sending.then(() => this.#send(mode)).catch(() => {});
    const last = this.#sending;
    void last.then(() => {
      if (last !== this.#sending) return;
      this.#picked = undefined;
      this.#changed();
    });
  }

  async #send({ id }: Mode): Promise<void> {
    const response = await fetch(`/page/mode?id=${id}`, { method: 'PUT' });
    if (response.ok) this.take(await response.json());
  }

  /** Takes the newest state. The sandbox tells it as the answer to a pick, and to every page. */
  take(state: ModeState): void {
    if (state.change > this.#state.change) this.#state = state;
    this.#changed();
  }
}
