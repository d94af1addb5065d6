import {
  type Client,
  type Conversation,
  createClient,
  GatewayError,
  type Target,
} from 'cometchat-gateway-client';
import { aboutOf, idOf, isolated, nameOf } from './format.ts';
import type { Timeline } from './timeline.ts';

export interface Note {
  readonly tone: 'busy' | 'good' | 'bad';
  readonly text: string;
}

export interface Surroundings {
  readonly gateway: string;
  readonly user: string;
  readonly token: (refused?: unknown) => Promise<string>;
  readonly timeline: Timeline;
  /** Called after each change of what the device shows. */
  readonly changed: () => void;
}

/** The name of an operation, and what is said after it has succeeded. */
interface Words {
  readonly task: string;
  readonly done: string;
}

type Page = Awaited<ReturnType<Client['conversations']['page']>>;

/** A device of the user: a client of its own, and its own copy of the list. */
export class Device {
  readonly name: string;
  conversations: readonly Conversation[] = [];
  /** The tag that the list is filtered by. */
  filter = '';
  hasMore = false;
  isLoading = false;
  note: Note = { tone: 'busy', text: 'Waiting for the gateway…' };
  /** The device that has changed tags since this one loaded its list. */
  outdatedBy: string | undefined;
  readonly #chat: Client;
  readonly #around: Surroundings;
  #pages: AsyncIterator<Page> | undefined;
  /** The number of the page that is loaded next. */
  #next = 1;
  /** The filter of the list that is shown. */
  #shown = '';
  #loading = new AbortController();

  constructor(name: string, around: Surroundings) {
    const { gateway, user, token, timeline } = around;
    this.name = name;
    this.#around = around;
    const fetch = timeline.recording(user, name);
    // Long enough to see all attempts at a CometChat that does not answer.
    this.#chat = createClient({ baseUrl: gateway, token, fetch, timeoutMs: 30_000 });
  }

  /** Loads the list from its beginning. */
  async load(filter = this.filter): Promise<void> {
    this.filter = filter;
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const page = await this.#nextPage(this.#from(1));
    if (signal.aborted) return;
    if (page) {
      this.conversations = page.conversations;
      this.outdatedBy = undefined;
    } else if (this.#shown !== filter) {
      this.conversations = [];
      this.hasMore = false;
    }
    this.#shown = filter;
    this.#around.changed();
  }

  /** Loads the next page of the list, unless a page is on its way. */
  async more(): Promise<void> {
    if (this.isLoading) return;
    const page = await this.#nextPage(this.#pages ?? this.#from(1));
    if (!page) return;
    this.conversations = [...this.conversations, ...page.conversations];
    this.#around.changed();
  }

  #from(page: number): AsyncIterator<Page> {
    const tags = this.filter === '' ? [] : [this.filter];
    const { signal } = this.#loading;
    this.#next = page;
    this.#pages = this.#chat.conversations.list({ tags, page, perPage: 10 }, { signal });
    return this.#pages;
  }

  async #nextPage(pages: AsyncIterator<Page>): Promise<Page | undefined> {
    const { signal } = this.#loading;
    const what = this.filter === '' ? 'conversations' : `conversations tagged ${isolated(this.filter)}`;
    const words = { task: `list ${what}`, done: `Page ${this.#next} of ${what} loaded` };
    this.isLoading = true;
    const page = await this.#operation('list', words, () => taken(pages), signal);
    if (signal.aborted) return undefined;
    this.isLoading = false;
    if (page) {
      this.#next += 1;
      this.hasMore = page.pagination.hasMore;
    } else {
      // A generator that has thrown is over.
      this.#from(this.#next);
    }
    return page;
  }

  /** @returns the conversation after the change; undefined if the change failed */
  change(
    conversation: Conversation,
    change: { add?: string[]; remove?: string[] },
  ): Promise<Conversation | undefined> {
    const name = nameOf(conversation);
    const { add = [], remove = [] } = change;
    const tags = isolated([...add, ...remove].join());
    const words =
      add.length > 0
        ? { task: `add ${tags} to ${name}`, done: `Added ${tags} to ${name}` }
        : { task: `remove ${tags} from ${name}`, done: `Removed ${tags} from ${name}` };
    return this.#onConversation(conversation, words, (target) => this.#chat.tags.change(target, change));
  }

  read(conversation: Conversation): Promise<Conversation | undefined> {
    const name = nameOf(conversation);
    const words = { task: `read the tags of ${name}`, done: `Read the tags of ${name}` };
    return this.#onConversation(conversation, words, (target) => this.#chat.tags.get(target));
  }

  async #onConversation(
    conversation: Conversation,
    words: Words,
    work: (target: Target) => Promise<Conversation>,
  ): Promise<Conversation | undefined> {
    const { conversationType } = conversation;
    const conversationWith = idOf(conversation);
    const after = await this.#operation(aboutOf(conversation), words, () =>
      work({ conversationWith, conversationType }),
    );
    if (!after) return undefined;
    this.conversations = this.conversations.map((one) =>
      one.conversationId === after.conversationId ? after : one,
    );
    this.#around.changed();
    return after;
  }

  /** Does the work, and notes how it goes. @returns undefined if it failed */
  async #operation<T>(
    about: string,
    { task, done }: Words,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const { timeline, user, changed } = this.#around;
    const end = timeline.begin(user, about, `${this.name}: ${task}`);
    this.note = { tone: 'busy', text: 'Waiting for the gateway…' };
    changed();
    try {
      const result = await work();
      this.note = { tone: 'good', text: `${done}.` };
      return result;
    } catch (error) {
      if (!signal?.aborted) this.note = { tone: 'bad', text: `Could not ${task}: ${explain(error)}` };
      return undefined;
    } finally {
      end();
      changed();
    }
  }
}

async function taken(pages: AsyncIterator<Page>): Promise<Page> {
  const { done, value } = await pages.next();
  if (done) throw new Error('the list has ended');
  return value;
}

function explain(error: unknown): string {
  if (!(error instanceof GatewayError)) return String(error);
  const { status, code, problem, message } = error;
  return (
    [status, code].filter(Boolean).join(' ') +
    `. ${problem?.errors?.[0]?.detail ?? problem?.title ?? message}.`
  );
}
