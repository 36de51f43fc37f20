// One message: whose, when, what, and all that can be done with it.

import { html, memo, useMemo, useRef, useState } from "../vendor/preact.js";
import { Blocks, Markdown, Mrkdwn } from "../blocks/index.js";
import { stateValues } from "../blocks/values.js";
import { ask } from "./asking.js";
import { Avatar, Badges } from "./avatar.js";
import { EditBox } from "./edit.js";
import { Icon } from "./icons.js";
import { act, fileUrl } from "./live.js";
import { openThread } from "./place.js";
import { asked, pressed } from "./pressing.js";
import { Reactions, ReactButton } from "./reactions.js";
import { nameOf, set, state, threadKey } from "./store.js";
import { clock, dayAndTime, iso, shortClock, whole } from "./time.js";

// What the renderer is given for one message. Inputs in messages are kept here while the message is on the page.
function useContextOf(message, names) {
  const [inputs, setInputs] = useState({});
  const [busy, setBusy] = useState(() => new Set());
  const held = useRef(inputs);
  held.current = inputs;
  const store = useMemo(() => ({
    get: (block, action) => held.current[block]?.[action],
    set: (block, action, value) => {
      held.current = { ...held.current, [block]: { ...held.current[block], [action]: value } };
      setInputs(held.current);
    },
  }), []);
  return useMemo(() => ({
    names, me: state.me, busy, errors: {}, file: fileUrl, state: store,
    asked: (block, element) => asked({ at: { channel: message.channel, ts: message.ts }, block, element }),
    act: (block, element, value, dialog) => pressed({
      at: { channel: message.channel, ts: message.ts }, block, element, value, dialog,
          values: stateValues(message.blocks ?? [], store), setBusy,
    }),
  }), [names, busy, inputs, message.channel, message.ts, message.blocks]);
}

function Body({ message, names }) {
  const ctx = useContextOf(message, names);
  if (message.deleted) return html`<p class="tombstone">This message was deleted.</p>`;
  if (message.blocks?.length) return html`<${Blocks} blocks=${message.blocks} surface="message" ctx=${ctx} />`;
  if (message.streaming) return html`<${Markdown} text=${message.text} ctx=${ctx} />`;
  return html`<${Mrkdwn} text=${message.text} ctx=${ctx} />`;
}

function Files({ files }) {
  return html`<ul class="files">${files.map((file) => html`<li key=${file.id}>
    ${file.mimetype?.startsWith("image/")
      ? html`<figure><img src=${fileUrl(file.id)} alt=${file.alt_txt || file.title || file.name} />
          <figcaption>${file.title || file.name}</figcaption></figure>`
      : html`<span class="file"><strong>${file.title || file.name}</strong><span>${file.pretty_type || file.mimetype}
          </span></span>`}
  </li>`)}</ul>`;
}

// Below a root in the channel: who answered, how often, when.
function ReplyLine({ message, replies, fresh }) {
  const shown = replies.filter((reply) => !reply.only_you);
  if (!shown.length) return null;
  const who = [...new Set(shown.map((reply) => reply.user))].slice(0, 4);
  const count = shown.length === 1 ? "1 reply" : `${shown.length} replies`;
  return html`<button type="button" class="replies" onClick=${() => openThread(message.channel, message.ts)}
      aria-label=${`${count} in the thread${fresh ? `, ${fresh} new` : ""}. Open it`}>
    <span class="faces">${who.map((user) => html`<${Avatar} key=${user} user=${user} small />`)}</span>
    <span class="count">${count}</span>
    ${fresh ? html`<span class="fresh">${fresh} new</span>` : null}
    <span class="last">Last reply ${dayAndTime(shown.at(-1).ts)}</span><span class="view">View thread</span>
  </button>`;
}

function Toolbar({ message, inThread, onEdit }) {
  const [pinned, setPinned] = useState(false);
  if (message.deleted || message.only_you) return null;
  const mine = message.user === state.me;
  const remove = () => ask({
    title: "Delete message", words: "Are you sure you want to delete this message? This cannot be undone.",
        yes: "Delete",
    then: () => {
      // The button that opened the question goes with the message.
      document.querySelector(inThread ? "#thread-composer" : "#composer")?.focus();
      act("/delete", { channel: message.channel, ts: message.ts });
    },
  });
  return html`<div class=${`toolbar ${pinned ? "pinned" : ""}`} role="group" aria-label="What to do with this message">
    <${ReactButton} message=${message} onOpen=${setPinned} />
    ${!inThread && html`<button type="button" aria-label="Reply in thread" title="Reply in thread"
      onClick=${() => openThread(message.channel, message.ts)}><${Icon} name="reply" /></button>`}
    ${mine && html`<button type="button" aria-label="Edit message" title="Edit message" onClick=${onEdit}>
        <${Icon} name="pencil" /></button>`}
    ${mine && html`<button type="button" aria-label="Delete message" title="Delete message" onClick=${remove}>
        <${Icon} name="bin" /></button>`}
  </div>`;
}

const edited = (message) => message.edited && !message.streaming
  && !(message.user === state.bot && message.blocks?.length); // an app that replaces its blocks leaves no such mark

const NAMES = { head: "head", only_you: "only-you", streaming: "streaming", deleted: "deleted" };

// Of these there are thousands: what they need of the store is handed down, so that they need not listen themselves.
export const Message = memo(function Message({ message, names, head, inThread, replies, fresh, open, editing, stop }) {
  const kind = Object.keys(NAMES).filter((name) => name === "head" ? head : message[name]).map((name) => NAMES[name]);
  const setEditing = (on) => set({ editing: on ? threadKey(message.channel, message.ts) : null });
  const leave = () => act("/dismiss", { channel: message.channel, ts: message.ts });
  return html`<article class=${`message ${kind.join(" ")} ${open ? "open" : ""}`} data-ts=${message.ts} data-stop
      tabIndex=${stop ? 0 : -1}
      aria-label=${`${nameOf(message.user)}, ${clock(message.ts)}`}>
    ${message.only_you && html`<p class="only-you-note"><${Icon} name="eye" />Only visible to you</p>`}
    <div class="gutter">${head ? html`<${Avatar} user=${message.user} />`
      : html`<time class="beside" dateTime=${iso(message.ts)} title=${whole(message.ts)}>
          ${shortClock(message.ts)}</time>`}</div>
    <div class="content">
      ${head && html`<div class="who"><strong>${nameOf(message.user)}</strong><${Badges} user=${message.user} />
        <time dateTime=${iso(message.ts)} title=${whole(message.ts)}>${clock(message.ts)}</time></div>`}
      ${editing ? html`<${EditBox} message=${message} done=${() => setEditing(false)} />`
          : html`<div class="body"><${Body} message=${message} names=${names} />
        ${edited(message) && html`<span class="edited">(edited)</span>`}</div>`}
      ${message.files && html`<${Files} files=${message.files} />`}
      ${message.only_you && html`<button type="button" class="link" onClick=${leave}>Dismiss message</button>`}
      <${Reactions} message=${message} />
      ${replies && html`<${ReplyLine} message=${message} replies=${replies} fresh=${fresh} />`}
    </div>
    <${Toolbar} message=${message} inThread=${inThread} onEdit=${() => setEditing(true)} />
  </article>`;
});
