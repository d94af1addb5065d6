/** A single HTTP call to CometChat, without the ids in its address. */
export interface CallLabels {
  readonly method: string;
  readonly urlTemplate: string;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** Makes a span of each call to CometChat that a request leads to. */
export interface CallTrace {
  /** Starts the span of a call. @returns ends it */
  startCall(call: CallLabels): (status: number | undefined, errorType: string | undefined) => void;
}
