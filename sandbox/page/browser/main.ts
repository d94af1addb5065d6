import type { Conversation } from 'cometchat-gateway-client';
import { render } from 'lit-html';
import { addFromBoth } from './both.ts';
import { Device, type Note } from './device.ts';
import type { Settings } from './events.ts';
import { aboutOf, idOf } from './format.ts';
import { listen } from './live-events.ts';
import { Switches } from './switches.ts';
import { Timeline } from './timeline.ts';
import { tokensOf } from './tokens.ts';
import { type Actions, type State, view } from './view.ts';

const FIRST_TAGS = ['archived', 'pinned', 'vip'];
const START: Note = { tone: 'good', text: 'Each device adds a tag of its own, at the same time.' };

const settings = (await (await fetch('/page/settings')).json()) as Settings;
const timeline = new Timeline(() => draw());
const switches = new Switches(settings.state, () => draw());

let user = '';
let devices: readonly [Device, Device];
let tags = new Set<string>();
let edited: { device: Device; id: string } | undefined;
let shared = '';
let both = START;

const actions: Actions = {
  pickUser: signIn,
  pickMode: (mode) => switches.pick(mode),
  async change(device, conversation, change) {
    const of = devices;
    const isDone = (await device.change(conversation, change)) !== undefined;
    if (isDone && of === devices) outdate(device);
    return isDone;
  },
  edit(device, conversation) {
    edited = conversation && { device, id: conversation.conversationId };
    draw();
  },
  isEdited: (device, { conversationId }) => edited?.device === device && edited.id === conversationId,
  share(id) {
    shared = id;
    draw();
  },
  async addFromBoth() {
    const conversation = sharedConversation();
    if (!conversation) return;
    both = { tone: 'busy', text: 'Both devices send…' };
    const end = timeline.begin(user, aboutOf(conversation));
    const of = devices;
    const note = await addFromBoth(of, conversation, tags);
    end();
    // Another user may be signed in by now.
    if (of === devices) both = note;
    draw();
  },
};

function signIn(uid: string): void {
  user = uid;
  tags = new Set(FIRST_TAGS);
  shared = '';
  both = START;
  const make = (name: string) =>
    new Device(name, {
      gateway: settings.gateway,
      user,
      token: tokensOf(user, () => switches.mode.id === 'expired'),
      timeline,
      changed: () => draw(),
    });
  devices = [make('Phone'), make('Laptop')];
  for (const device of devices) void device.load();
}

function outdate(by: Device): void {
  for (const device of devices) if (device !== by) device.outdatedBy = by.name;
  draw();
}

const sharedConversation = (): Conversation | undefined => {
  const [{ conversations }] = devices;
  return conversations.find((one) => idOf(one) === shared) ?? conversations[0];
};

function draw(): void {
  if (!devices) return;
  for (const { conversations } of devices) {
    for (const tag of conversations.flatMap((one) => one.tags ?? [])) tags.add(tag);
  }
  const target = sharedConversation();
  const state: State = {
    settings,
    user,
    mode: switches.mode,
    devices,
    timeline,
    tags: [...tags].sort(),
    shared: target ? idOf(target) : '',
    both,
  };
  render(view(state, actions), document.body);
}

await listen({
  opened: () => timeline.missEvents(),
  mode(state) {
    // The sandbox has started again: its gateway knows none of the tokens.
    if (state.run !== settings.state.run) location.reload();
    else switches.take(state);
  },
  cometChat: (event) => timeline.take(event),
});
signIn(settings.users[3]?.uid ?? '');
