import type { ConversationPage, Problem } from 'cometchat-gateway-client';
import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { bytes, duration, parse, pretty, timeOfDay } from './format.ts';
import type { Called, Entry, Got, Row, Sent, Timeline } from './timeline.ts';

export function timelineView(timeline: Timeline): TemplateResult {
  const { entries } = timeline;
  return html`
    <section class="timeline card" id="live" aria-labelledby="timeline-title">
      <header>
        <h2 id="timeline-title">Live</h2>
        <p>What the app sends, what CometChat gets, what comes back. Open a line to see all of it.</p>
        <button type="button" @click=${() => timeline.clear()}>Clear</button>
      </header>
      <ol class="entries" aria-label="Requests, newest first">
        ${repeat(entries, ({ id }) => id, entryView)}
      </ol>
      ${entries.length === 0 ? html`<p class="empty">Nothing yet.</p>` : nothing}
    </section>
  `;
}

const entryView = ({ titles, rows, startedAt, open, user }: Entry): TemplateResult => html`
  <li class="entry ${open > 0 ? 'open' : ''}">
    <header>
      <h3>${titles.length > 0 ? titles.map((title) => html`<span>${title}</span>`) : html`<span>No request of this page was under way</span>`}</h3>
      <p><span>${user}</span> <time>${timeOfDay(startedAt)}</time></p>
    </header>
    ${repeat(rows, (row) => row, rowView)}
  </li>
`;

function rowView(row: Row): TemplateResult {
  if (row.kind === 'sent') return sentView(row);
  return row.kind === 'got' ? gotView(row) : calledView(row);
}

const sentView = ({ device, attempt, method, path, authorization, body }: Sent) =>
  line({
    kind: 'sent',
    who: attempt === 1 ? `${device} sends` : `${device} repeats`,
    what: `${method} ${path}`,
    body: attempt === 1 ? body : '',
    result: attempt === 1 ? nothing : html`<small>attempt ${attempt}</small>`,
    messages: [message([`${method} ${path}`, `Authorization: ${authorization}`], body)],
  });

const calledView = ({ call, reply, mayBeMissed }: Called) => {
  const { method, path, body, apikey, onBehalfOf, at } = call;
  const took = duration((reply?.at ?? at) - at);
  return line({
    kind: 'called',
    who: 'CometChat gets',
    what: `${method} ${path}`,
    body,
    result: reply ? statusView(reply.status, took) : html`<i>${mayBeMissed ? 'not seen' : 'waiting'}</i>`,
    messages: [
      message([`${method} ${path}`, `apikey: ${apikey}`, `onBehalfOf: ${onBehalfOf}`], body),
      ...(reply ? [replyMessage(reply.status, reply.retryAfter, reply.body)] : []),
    ],
  });
};

const gotView = ({ device, status, ms, body, retryAfter }: Got) =>
  line({
    kind: status !== undefined && status < 400 ? 'got' : 'got failed',
    who: `${device} gets`,
    what: status === undefined ? 'no answer' : summary(body, retryAfter),
    body: '',
    result: statusView(status, duration(ms)),
    messages: [replyMessage(status, retryAfter, body)],
  });

/** @returns the most important part of the gateway's answer */
function summary(text: string, retryAfter: string | null): string {
  const document = parse(text) as Partial<Problem & ConversationPage> | undefined;
  const { code, conversations, pagination } = document ?? {};
  if (code) return retryAfter ? `${code}, Retry-After: ${retryAfter}` : code;
  if (!conversations) return text;
  if (!pagination) return JSON.stringify({ tags: conversations[0]?.tags });
  const more = pagination.hasMore ? ', more to come' : '';
  return `${conversations.length} conversations, page ${pagination.page}${more}`;
}

interface Line {
  readonly kind: string;
  readonly who: string;
  readonly what: string;
  readonly body: string;
  readonly result: unknown;
  /** What an open line shows. */
  readonly messages: readonly string[];
}

const line = ({ kind, who, what, body, result, messages }: Line): TemplateResult => html`
  <details class="line ${kind}">
    <summary>
      <span class="who">${who}</span>
      <span class="what"><code>${wrappable(what)}</code>${body ? html`<code class="body">${wrappable(body)}</code>` : nothing}</span>
      <span class="result">${result}</span>
    </summary>
    ${messages.map((text) => html`<pre tabindex="0">${text}</pre>`)}
  </details>
`;

/** Lets a path or JSON wrap between its parts, and not in the middle of a word. */
const wrappable = (text: string) => text.split(/(?<=[,:?&/])/).map((part) => html`${part}<wbr>`);

const statusView = (status: number | undefined, took: string): TemplateResult => html`
  <b class=${status !== undefined && status < 400 ? 'good' : 'bad'}>${status ?? 'no reply'}</b>
  <small>${took}</small>
`;

function replyMessage(status: number | undefined, retryAfter: string | null | undefined, body = ''): string {
  if (status === undefined) return body || 'No reply: the connection was closed.';
  return message([`${status}, ${bytes(body)}`, retryAfter ? `Retry-After: ${retryAfter}` : ''], body);
}

/** Lays a message out as HTTP does: its head, an empty line and its body. */
const message = (head: readonly string[], body: string): string =>
  [head.filter((line) => line !== '').join('\n'), pretty(body)].filter((part) => part !== '').join('\n\n');
