import type { CallEvent, CometChatEvent, ReplyEvent } from './events.ts';
import { shortened } from './format.ts';

export interface Sent {
  readonly kind: 'sent';
  readonly at: number;
  readonly device: string;
  /** 1, or more if this entry has the same request already. */
  readonly attempt: number;
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}
export interface Got {
  readonly kind: 'got';
  readonly at: number;
  readonly device: string;
  readonly ms: number;
  /** Absent if no answer came. */
  readonly status?: number;
  readonly retryAfter: string | null;
  readonly body: string;
}
export interface Called {
  readonly kind: 'called';
  readonly at: number;
  readonly call: CallEvent;
  reply?: ReplyEvent;
  /** Whether nobody listened for a time while there was no reply. */
  mayBeMissed?: boolean;
}
export type Row = Sent | Got | Called;

/**
 * What happened to one conversation of a user, or to the user's list, while at least one operation of the page was under way.
 * From outside nobody can tell which of several requests caused a call, so they share an entry.
 */
export interface Entry {
  readonly id: number;
  readonly user: string;
  readonly about: string;
  readonly titles: string[];
  readonly rows: Row[];
  readonly startedAt: number;
  /** How many operations of the page are under way. */
  open: number;
  endedAt: number;
}

const LONGEST = 30;
const ORDER = { sent: 0, called: 1, got: 2 };

export class Timeline {
  /** Newest first. */
  entries: Entry[] = [];
  readonly #changed: () => void;
  readonly #calls = new Map<number, Called>();
  #count = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Begins an operation. It joins the entry of the operations about the same that are under way. @returns what ends it */
  begin(user: string, about: string, title?: string): () => void {
    const underWay = this.entries.find((one) => one.open > 0 && one.user === user && one.about === about);
    const entry = underWay ?? this.#add(user, about);
    if (title) entry.titles.push(title);
    entry.open += 1;
    this.#changed();
    return () => {
      entry.open -= 1;
      entry.endedAt = Date.now();
      this.#changed();
    };
  }

  /** @returns a `fetch` that records each request and what comes back */
  recording(user: string, device: string): typeof fetch {
    return async (input, init = {}) => {
      const { method = 'GET' } = init;
      const { pathname, search } = new URL(String(input));
      const body = typeof init.body === 'string' ? init.body : '';
      const authorization = shortened(new Headers(init.headers).get('authorization') ?? '');
      const about = aboutRequest(pathname, search, body);
      const entry =
        this.entries.find((one) => one.user === user && one.about === about) ?? this.#add(user, about);
      const path = pathname + search;
      const same = entry.rows.filter(
        (row) => row.kind === 'sent' && row.device === device && row.path === path && row.body === body,
      );
      const at = Date.now();
      this.#insert(entry, {
        kind: 'sent',
        at,
        device,
        attempt: same.length + 1,
        method,
        path,
        authorization,
        body,
      });
      const got = (answer: Pick<Got, 'body' | 'retryAfter'> & { status?: number }) => {
        const now = Date.now();
        this.#insert(entry, { kind: 'got', at: now, device, ms: now - at, ...answer });
      };
      try {
        const response = await fetch(input, init);
        const text = await response.clone().text();
        got({ status: response.status, retryAfter: response.headers.get('retry-after'), body: text });
        return response;
      } catch (error) {
        got({ retryAfter: null, body: String(error) });
        throw error;
      }
    };
  }

  /** Adds an event of CometChat's to the entry that it belongs to. */
  take(event: CometChatEvent): void {
    if (event.type === 'call') this.#takeCall(event);
    else this.#takeReply(event);
  }

  /** Takes note that events may have been missed. */
  missEvents(): void {
    for (const row of this.#calls.values()) row.mayBeMissed = true;
    this.#changed();
  }

  #takeReply(event: ReplyEvent): void {
    const row = this.#calls.get(event.id);
    if (!row) return;
    row.reply = event;
    this.#calls.delete(event.id);
    this.#changed();
  }

  clear(): void {
    this.entries = this.entries.filter(({ open }) => open > 0);
    this.#changed();
  }

  #takeCall(call: CallEvent): void {
    const about = aboutCall(call.path);
    const user = call.onBehalfOf;
    // The event may arrive after the answer to the request.
    const isDuring = ({ open, startedAt, endedAt }: Entry) =>
      startedAt <= call.at && (open > 0 || call.at <= endedAt);
    const found = this.entries.find((one) => one.user === user && one.about === about && isDuring(one));
    const row: Called = { kind: 'called', at: call.at, call };
    this.#calls.set(call.id, row);
    this.#insert(found ?? this.#add(user, about), row);
  }

  #add(user: string, about: string): Entry {
    const now = Date.now();
    this.#count += 1;
    const entry: Entry = {
      id: this.#count,
      user,
      about,
      titles: [],
      rows: [],
      startedAt: now,
      open: 0,
      endedAt: now,
    };
    this.entries = [entry, ...this.entries].slice(0, LONGEST);
    return entry;
  }

  #insert(entry: Entry, row: Row): void {
    entry.rows.push(row);
    entry.rows.sort((one, other) => one.at - other.at || ORDER[one.kind] - ORDER[other.kind]);
    this.#changed();
  }
}

/** @returns what a request to the gateway is about: `list`, or a conversation such as `user cometchat-uid-3` */
function aboutRequest(pathname: string, search: string, body: string): string {
  if (pathname === '/me/conversations') return 'list';
  const named: Record<string, string | undefined> = body
    ? JSON.parse(body)
    : Object.fromEntries(new URLSearchParams(search));
  return `${named.conversationType ?? 'user'} ${named.conversationWith}`;
}

/** @returns the same of a call to CometChat */
function aboutCall(path: string): string {
  const [, type, id] = /\/(user|group)s\/([^/]+)\/conversation$/.exec(path) ?? [];
  return type && id ? `${type} ${decodeURIComponent(id)}` : 'list';
}
