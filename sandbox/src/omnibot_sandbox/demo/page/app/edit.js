// One's own message, open for changing.

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { hadFocus } from "./keys.js";
import { act } from "./live.js";
import { nameOf } from "./store.js";

// The words as they were typed: mentions by name, links bare, the three characters as themselves.
export function typedText(text) {
  return text
    .replace(/<@([^>|]+)(?:\|[^>]*)?>/g, (_, id) => `@${nameOf(id)}`)
    .replace(/<#([^>|]+)(?:\|[^>]*)?>/g, (_, id) => `#${nameOf(id)}`)
    .replace(/<((?:https?:|mailto:)[^>|]+)(?:\|[^>]*)?>/g, "$1")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export function EditBox({ message, done }) {
  const [words, setWords] = useState(() => typedText(message.text));
  const box = useRef(null);
  useEffect(() => {
    const before = document.activeElement, here = box.current;
    here.focus();
    here.setSelectionRange(words.length, words.length);
    return () => { if (hadFocus(here) && before.isConnected) before.focus(); };
  }, []);
  const save = async () => {
    if (words.trim() && words !== typedText(message.text)) await act("/edit",
        { channel: message.channel, ts: message.ts, text: words });
    done();
  };
  const onKey = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") done();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    }
  };
  return html`<div class="edit-box">
    <textarea ref=${box} aria-label="Edit message" rows=${Math.min(8, words.split("\n").length)} value=${words}
      onInput=${(event) => setWords(event.target.value)} onKeyDown=${onKey}></textarea>
    <div class="edit-buttons"><button type="button" class="plain" onClick=${done}>Cancel</button>
      <button type="button" class="go" onClick=${save}>Save</button></div>
  </div>`;
}
