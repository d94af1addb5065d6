/** What the page is told of CometChat, as it happens. The key is masked before it leaves the server. */
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
  /** The call's. */
  readonly id: number;
  readonly at: number;
  /** Absent where the connection was closed before a whole reply had been sent. */
  readonly status?: number;
  readonly retryAfter?: string;
  readonly body?: string;
}

/** What the page needs to know before it starts. */
export interface Settings {
  /** The gateway's origin. */
  readonly gateway: string;
  readonly users: readonly { readonly uid: string; readonly name: string }[];
}
