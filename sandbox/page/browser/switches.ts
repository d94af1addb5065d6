/** What CometChat, or the session, can be made to do. */
export interface Mode {
  readonly id: string;
  readonly label: string;
  /** What CometChat does, and what the app gets. */
  readonly effect: string;
  /** The sandbox's fault, if it needs one. */
  readonly fault?: { readonly path: string; readonly body?: string };
}

const named = (name: string) => ({ path: `/sandbox/faults/${name}?times=1000` });
const fault = (fault: object) => ({
  path: '/sandbox/faults',
  body: JSON.stringify([{ ...fault, times: 1000 }]),
});

// biome-ignore format: one switch a line
export const MODES: readonly [Mode, ...Mode[]] = [
  { id: 'works', label: 'Works', effect: 'CometChat answers at once. The app gets 200.' },
  { id: 'slow', label: 'Slow', effect: 'CometChat takes half a second for each call. The app gets 200, later.', fault: fault({ delayMs: 500 }) },
  { id: 'silent', label: 'Silent', effect: 'CometChat never answers. The app gets 504 cometchat-timeout.', fault: named('silence') },
  { id: 'down', label: 'Down', effect: 'CometChat breaks every connection. The app gets 502 cometchat-failed.', fault: named('reset-on-arrival') },
  { id: 'rate-limited', label: 'Rate-limited', effect: 'CometChat answers 429 with Retry-After: 2. The app gets 503 cometchat-busy.', fault: named('rate-limited-seconds') },
  { id: 'wrong', label: 'Wrong reply', effect: 'CometChat answers 200 with half a JSON document. The app gets 502 cometchat-reply-invalid.', fault: named('broken-json') },
  { id: 'expired', label: 'Token expired', effect: 'CometChat works. The app gets 401 session-expired, takes a new token and sends the request again.' },
];

/** Ends the faults of the last mode, and begins those of this one. */
export async function setMode({ fault }: Mode): Promise<void> {
  await fetch('/sandbox', { method: 'DELETE' });
  if (fault) await fetch(fault.path, { method: 'PUT', body: fault.body ?? null });
}
