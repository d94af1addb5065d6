import type { Conversation } from 'cometchat-gateway-client';
import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import type { Device, Note } from './device.ts';
import type { Settings } from './events.ts';
import { idOf, nameOf, picked } from './format.ts';
import { MODES, type Mode } from './switches.ts';
import type { Timeline } from './timeline.ts';
import { type DeviceActions, deviceView, noteView } from './view-device.ts';
import { timelineView } from './view-timeline.ts';

export interface State {
  readonly settings: Settings;
  readonly user: string;
  readonly mode: Mode;
  readonly devices: readonly [Device, Device];
  readonly timeline: Timeline;
  /** The tags that the page has seen, and a few to begin with. */
  readonly tags: readonly string[];
  /** The id of the conversation that both devices change. */
  readonly shared: string;
  readonly both: Note;
}

export interface Actions extends DeviceActions {
  pickUser(uid: string): void;
  pickMode(mode: Mode): void;
  share(id: string): void;
  addFromBoth(): void;
}

export const view = (state: State, actions: Actions): TemplateResult => html`
  <header class="top">
    <div>
      <h1>Conversation tags through the gateway</h1>
      <p>This page is your app. It calls the gateway at <code>${state.settings.gateway}</code>. A stand-in plays CometChat.</p>
    </div>
    <label class="user">
      <span>Signed in as</span>
      <select .value=${live(state.user)} @change=${(event: Event) => actions.pickUser(picked(event))}>
        ${state.settings.users.map(
          ({ uid, name }) =>
            html`<option value=${uid} ?selected=${uid === state.user}>${name} (${uid})</option>`,
        )}
      </select>
    </label>
  </header>
  <main>
    ${modesView(state.mode, actions)}
    <div class="columns">
      <div class="app">
        ${bothView(state, actions)}
        <div class="devices">${state.devices.map((device) => deviceView(device, state.tags, actions))}</div>
      </div>
      ${timelineView(state.timeline)}
    </div>
  </main>
  <a class="to-live" href="#live">Live ↓</a>
  <datalist id="known-tags">${state.tags.map((tag) => html`<option value=${tag}></option>`)}</datalist>
`;

const modesView = (mode: Mode, actions: Actions): TemplateResult => html`
  <fieldset class="modes card ${mode === MODES[0] ? '' : 'on'}">
    <legend>CometChat</legend>
    <div class="choices">
      ${MODES.map(
        (one) => html`<label>
          <input type="radio" name="mode" value=${one.id} .checked=${live(one === mode)} aria-describedby="effect"
            @change=${() => actions.pickMode(one)}>
          <span>${one.label}</span>
        </label>`,
      )}
    </div>
    <p id="effect" role="status">${mode.effect}</p>
  </fieldset>
`;

function bothView({ devices: [phone], shared, both }: State, actions: Actions): TemplateResult {
  const options = phone.conversations.map(
    (one: Conversation) =>
      html`<option value=${idOf(one)} ?selected=${idOf(one) === shared}>${nameOf(one)}</option>`,
  );
  return html`
    <section class="both card" aria-labelledby="both-title">
      <h2 id="both-title">Both at once</h2>
      <label>
        <span class="hidden">Conversation that both devices change</span>
        <select .value=${live(shared)} @change=${(event: Event) => actions.share(picked(event))}>${options}</select>
      </label>
      <button type="button" class="primary" @click=${() => actions.addFromBoth()}>Add a tag from each device</button>
      ${noteView(both)}
    </section>
  `;
}
