/** What CometChat gets and answers, live. The server masks the key before it sends the event. */
export type CometChatEvent = CallEvent | ReplyEvent;

export interface CallEvent {
  readonly type: 'call';
  readonly id: number;
  /** UNIX milliseconds. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly apikey: string;
  readonly onBehalfOf: string;
  readonly body: string;
}

export interface ReplyEvent {
  readonly type: 'reply';
  /** The id of the call. */
  readonly id: number;
  readonly at: number;
  /** Absent if the connection was closed before the whole reply was sent. */
  readonly status?: number;
  readonly retryAfter?: string;
  readonly body?: string;
}

export type ModeId = 'works' | 'slow' | 'silent' | 'down' | 'rate-limited' | 'wrong' | 'expired';

/** The first event, and one more after each change of the mode. */
export interface ModeState {
  /** Another one after each start of the sandbox. */
  readonly run: string;
  /** Counts the changes of this run. */
  readonly change: number;
  readonly mode: ModeId;
}

/** What the page needs to know before it starts. */
export interface Settings {
  /** The gateway's origin. */
  readonly gateway: string;
  readonly state: ModeState;
  readonly users: readonly { readonly uid: string; readonly name: string }[];
}
