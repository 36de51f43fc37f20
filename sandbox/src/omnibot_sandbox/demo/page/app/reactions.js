// Reactions below a message, and the little board to choose one from.

import { html, useEffect, useId, useRef, useState } from "../vendor/preact.js";
import { charOf } from "../blocks/emoji.js";
import { Icon } from "./icons.js";
import { act } from "./live.js";
import { nameOf, state } from "./store.js";

const QUICK = ["+1", "eyes", "white_check_mark", "raised_hands", "tada", "thinking_face", "heart",
    "chart_with_upwards_trend"];
const shown = (name) => charOf(name) ?? `:${name}:`;
const toggle = (message, name) => act("/react", {
  channel: message.channel, ts: message.ts, name, on: !message.reactions?.[name]?.includes(state.me),
});

export function Reactions({ message }) {
  const entries = Object.entries(message.reactions ?? {});
  if (!entries.length) return null;
  return html`<div class="reactions">${entries.map(([name, users]) => {
    const mine = users.includes(state.me);
    const who = users.map(nameOf).join(", ");
    return html`<button key=${name} type="button" class=${`reaction ${mine ? "mine" : ""}`} aria-pressed=${mine}
      aria-label=${`${name.replaceAll("_", " ")}: ${who}`} title=${`${who} reacted with :${name}:`}
          onClick=${() => toggle(message, name)}>
      <span class="emoji">${shown(name)}</span>${users.length}</button>`;
  })}</div>`;
}

export function ReactButton({ message, onOpen }) {
  const [open, setOpen] = useState(false);
  const box = useRef(null), board = useId();
  useEffect(() => {
    onOpen(open);
    if (!open) return undefined;
    box.current.querySelector(".board button").focus();
    const away = (event) => { if (!box.current.contains(event.target)) setOpen(false); };
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [open]);
  const close = () => {
    box.current.firstElementChild.focus();
    setOpen(false);
  };
  const onKey = (event) => {
    if (event.key !== "Escape" || !open) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  return html`<span class="react" ref=${box} onKeyDown=${onKey}>
    <button type="button" aria-label="Add a reaction" title="Add a reaction" aria-expanded=${open}
        aria-controls=${open ? board : undefined} onClick=${() => setOpen(!open)}>
      <${Icon} name="smile" /></button>
    ${open && html`<span class="board" id=${board} role="group" aria-label="Reactions">${QUICK.map((name) => html`
      <button key=${name} type="button" aria-label=${name.replaceAll("_", " ")}
        onClick=${() => { toggle(message, name); close(); }}><span class="emoji">${shown(name)}</span>
            </button>`)}</span>`}
  </span>`;
}
