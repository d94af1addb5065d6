import type { Conversation } from 'cometchat-gateway-client';
import { html, nothing, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { repeat } from 'lit-html/directives/repeat.js';
import type { Device, Note } from './device.ts';
import { hash, idOf, initials, isolated, nameOf, picked } from './format.ts';

export interface DeviceActions {
  /** Adds or removes one tag. @returns whether it is done */
  change(
    device: Device,
    conversation: Conversation,
    change: { add?: string[]; remove?: string[] },
  ): Promise<boolean>;
  /** Opens or closes the field for a new tag. */
  edit(device: Device, conversation: Conversation | undefined): void;
  isEdited(device: Device, conversation: Conversation): boolean;
}

const HUES = 6;

export function deviceView(device: Device, tags: readonly string[], actions: DeviceActions): TemplateResult {
  const { name, conversations, hasMore, filter, outdatedBy, note } = device;
  return html`
    <section class="device card" aria-labelledby="${name}-title" data-device=${name}>
      <header>
        <h2 id="${name}-title">${icon(name)} ${name}</h2>
        <label class="filter">
          <span>Tag</span>
          <select aria-label="Filter by tag on ${name}" .value=${live(filter)} @change=${(event: Event) => device.load(picked(event))}>
            <option value="">All</option>
            ${tags.map((tag) => html`<option value=${tag} ?selected=${tag === filter}>${tag}</option>`)}
          </select>
        </label>
        <button type="button" class="reload" @click=${() => device.load()}>Reload</button>
      </header>
      ${outdatedBy ? html`<p class="hint">${outdatedBy} has changed tags. Reload.</p>` : nothing}
      <ul class="conversations" aria-label="Conversations on ${name}">
        ${repeat(
          conversations,
          ({ conversationId }) => conversationId,
          (conversation) => conversationView(device, conversation, actions),
        )}
      </ul>
      ${conversations.length === 0 && note.tone !== 'busy' ? html`<p class="empty">${empty(device)}</p>` : nothing}
      ${hasMore ? html`<button type="button" class="more" aria-disabled=${device.isLoading} @click=${() => device.more()}>More</button>` : nothing}
      ${noteView(note)}
    </section>
  `;
}

const empty = ({ note, filter }: Device): string => {
  if (note.tone === 'bad') return 'Nothing loaded.';
  return filter === '' ? 'No conversations.' : `No conversation has the tag ${isolated(filter)}.`;
};

export const noteView = ({ tone, text }: Note): TemplateResult =>
  html`<p class="note ${tone}" role="status"><span>${text}</span></p>`;

function conversationView(
  device: Device,
  conversation: Conversation,
  actions: DeviceActions,
): TemplateResult {
  const name = nameOf(conversation);
  const { tags = [], unreadMessageCount = 0 } = conversation;
  const isEdited = actions.isEdited(device, conversation);
  const chip = (tag: string) => html`
    <li class="chip">
      <bdi>${tag}</bdi>
      <button type="button" aria-label="Remove ${tag} from ${name} on ${device.name}"
        @click=${(event: Event) => remove(event, () => actions.change(device, conversation, { remove: [tag] }))}
      >×</button>
    </li>
  `;
  return html`
    <li class="conversation">
      <span class="avatar hue-${hash(idOf(conversation), HUES)}" aria-hidden="true">${initials(name)}</span>
      <div class="who">
        <span class="name">${name}</span>
        ${
          unreadMessageCount > 0
            ? html`<span class="unread" title="Unread messages">${unreadMessageCount}<span class="hidden"> unread</span></span>`
            : nothing
        }
        <button type="button" class="add" aria-expanded=${isEdited} aria-label="Add a tag to ${name} on ${device.name}"
          @click=${(event: Event) => toggle(event, () => actions.edit(device, isEdited ? undefined : conversation))}
        >+ Tag</button>
      </div>
      ${tags.length > 0 ? html`<ul class="tags" aria-label="Tags of ${name}">${repeat(tags, (tag) => tag, chip)}</ul>` : nothing}
      ${isEdited ? addForm(device, conversation, actions) : nothing}
    </li>
  `;
}

function addForm(device: Device, conversation: Conversation, actions: DeviceActions): TemplateResult {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const tag = tagIn(form);
    if (tag === '') return;
    const isDone = await actions.change(device, conversation, { add: [tag] });
    // Another tag may be in the field by now.
    if (isDone && tagIn(form) === tag) form.reset();
  };
  const close = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    const button = buttonOf(event);
    actions.edit(device, undefined);
    button?.focus();
  };
  return html`
    <form class="new-tag" @submit=${submit} @keydown=${close}>
      <input name="tag" list="known-tags" maxlength="100" required autocomplete="off" placeholder="New tag"
        aria-label="New tag for ${nameOf(conversation)} on ${device.name}">
      <button type="submit" class="primary">Add</button>
    </form>
  `;
}

const tagIn = (form: HTMLFormElement): string => String(new FormData(form).get('tag')).trim();

/** Moves the focus into the field that has opened. */
function toggle(event: Event, change: () => void): void {
  const row = (event.currentTarget as HTMLElement).closest('.conversation');
  change();
  row?.querySelector('input')?.focus();
}

/** Moves the focus to a neighbour if the button that had it is gone. */
async function remove(event: Event, change: () => Promise<unknown>): Promise<void> {
  const button = buttonOf(event);
  await change();
  if (document.activeElement === document.body) button?.focus();
}

const buttonOf = (event: Event): HTMLElement | null | undefined =>
  (event.currentTarget as HTMLElement).closest('.conversation')?.querySelector<HTMLElement>('.add');

const icon = (name: string): TemplateResult =>
  name === 'Phone'
    ? html`<svg viewBox="0 0 16 16" aria-hidden="true"><rect x="4.5" y="1.5" width="7" height="13" rx="1.5"/><path d="M7 12.5h2"/></svg>`
    : html`<svg viewBox="0 0 16 16" aria-hidden="true"><rect x="2.5" y="3" width="11" height="7.5" rx="1"/><path d="M1 13h14"/></svg>`;
