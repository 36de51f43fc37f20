// The box one types in.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { Completion, commands, offers, usage } from "./completion.js";
import { draft, keepDraft, onSuggestion } from "./drafts.js";
import { Icon } from "./icons.js";
import { act } from "./live.js";
import { room, set, state, threadKey } from "./store.js";
import { toast } from "./toasts.js";

const TALLEST = 220;
const SILENT = "/omni failed because the app did not respond. Try again, or look backstage whether the bot runs.";

async function sendCommand(channel, name, text) {
  const result = await act("/command", { channel, command: name, text });
  if (result.ok && !result.acked) toast(SILENT, "error");
  return result.ok;
}

// Sends words; false when they should stay in the box.
export async function send(channel, thread, words) {
  const command = /^(\/\S+)\s*([\s\S]*)$/.exec(words);
  if (!command) return (await act("/say", { channel, text: words, thread_ts: thread })).ok;
  if (thread && commands().some((one) => one.command === command[1])) {
    toast(`${command[1]} is not supported in threads. Sorry! Type it in the channel.`, "error");
    return false;
  }
  dispatchEvent(new CustomEvent("demo-command", { detail: command[2] }));
  return sendCommand(channel, command[1], command[2]);
}

function lastOwn(channel, thread) {
  const here = room(channel);
  const list = thread ? [...here.roots.filter((one) => one.ts === thread), ...(here.replies.get(thread) ?? [])]
      : here.roots;
  return list.findLast((message) => message.user === state.me && !message.deleted && !message.only_you);
}

export function Composer({ channel, thread = null, placeholder, label, region }) {
  const [words, setWords] = useState(() => draft(channel, thread));
  const [offered, setOffered] = useState(null);
  const [chosen, setChosen] = useState(0);
  const box = useRef(null), caretAt = useRef(null);
  const id = `suggestions-${thread ? "thread" : "channel"}`;

  const change = (text) => { setWords(text); keepDraft(channel, thread, text); };
  useEffect(() => {
    setWords(draft(channel, thread));
    setOffered(null);
    // What opened by itself must not take the words of somebody who is typing, nor may anything below a dialog.
    const busy = document.querySelector("[aria-modal=true], [role=radio]:focus-visible") || (thread && state.followed === thread);
    if (!busy) box.current.focus({ preventScroll: true });
  }, [channel, thread]);
  useLayoutEffect(() => {
    box.current.style.height = "auto";
    box.current.style.height = `${Math.min(TALLEST, box.current.scrollHeight)}px`;
    // At once: who types fast has typed on before the next frame.
    if (caretAt.current === null) return;
    box.current.focus();
    box.current.setSelectionRange(caretAt.current, caretAt.current);
    caretAt.current = null;
  }, [words]);
  useEffect(() => thread ? undefined : onSuggestion((where, text) => {
    if (where !== channel) return;
    setWords(text);
    box.current?.focus();
  }), [channel, thread]);

  const look = (text, caret) => { setOffered(offers(text, caret, channel, thread)); setChosen(0); };
  const pick = (option) => {
    const caret = box.current.selectionStart;
    change(words.slice(0, offered.from) + option.text + words.slice(caret).trimStart());
    setOffered(null);
    caretAt.current = offered.from + option.text.length;
  };
  const submit = async () => {
    const text = words.trim();
    if (!text) return;
    change("");
    setOffered(null);
    if (!(await send(channel, thread, text)) && !box.current.value) change(text);
  };
  const choose = (event) => {
    const count = offered.options.length;
    if (event.key === "ArrowDown") setChosen((chosen + 1) % count);
    else if (event.key === "ArrowUp") setChosen((chosen + count - 1) % count);
    else if (event.key === "Enter" || event.key === "Tab") pick(offered.options[chosen]);
    else if (event.key === "Escape") setOffered(null);
    else return false;
    event.preventDefault();
    return true;
  };
  const onKey = (event) => {
    if (offered && !event.isComposing && choose(event)) { event.stopPropagation(); return; }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
    if (event.key === "ArrowUp" && !words) {
      const message = lastOwn(channel, thread);
      if (!message) return;
      event.preventDefault();
      set({ editing: threadKey(channel, message.ts) });
    }
  };
  const hint = usage(words);

  return html`<form class="composer" data-region=${region} onSubmit=${(event) => { event.preventDefault(); submit(); }}>
    ${offered && html`<${Completion} id=${id} offered=${offered} chosen=${chosen} pick=${pick} />`}
    <div class="composer-box">
      <div class="composer-words">
        ${hint && html`<span class="usage" aria-hidden="true"><span>${words.trimEnd()} </span>${hint}</span>`}
        <textarea ref=${box} id=${thread ? "thread-composer" : "composer"} rows="1" maxlength="12000" value=${words}
            placeholder=${placeholder}
          aria-label=${label} aria-haspopup="listbox" aria-controls=${offered ? id : undefined}
              aria-autocomplete="list"
          aria-activedescendant=${offered ? `${id}-${chosen}` : undefined} autocomplete="off" spellcheck="true"
          onInput=${(event) => { change(event.target.value); look(event.target.value, event.target.selectionStart); }}
          onBlur=${() => setOffered(null)} onKeyDown=${onKey}></textarea>
      </div>
      <div class="composer-tools">
        <button type="button" class="tool" aria-label="Mention somebody" title="Mention somebody" onClick=${() => {
          const text = `${words}${words && !/\s$/.test(words) ? " " : ""}@`;
          caretAt.current = text.length;
          change(text);
          look(text, text.length);
        }}><${Icon} name="at" /></button>
        <span class="tip"><b>Enter</b> to send · <b>Shift + Enter</b> for a new line</span>
        <button type="submit" class="send" aria-label="Send" title="Send" disabled=${!words.trim()}>
            <${Icon} name="send" /></button>
      </div>
    </div>
  </form>`;
}
