// What the message box offers while one types: people behind an @, commands behind a first slash.

import { html } from "../vendor/preact.js";
import { Avatar } from "./avatar.js";
import { OmniMark } from "./icons.js";
import { channelOf, state } from "./store.js";

// What the app registered; a bot of somebody else's may not have said.
const FALLBACK = [{ command: "/omni", usage_hint: "[question]", description: "A command of the app" }];
export const commands = () => (state.commands.length ? state.commands : FALLBACK);

// {from, options}: what could replace the words from `from` to the caret; null: nothing.
export function offers(words, caret, channel, inThread) {
  const before = words.slice(0, caret);
  const slash = /^\/(\S*)$/.exec(before);
  if (slash && !inThread) {
    const options = commands().filter((one) => one.command.startsWith(before.toLowerCase()));
    return options.length ? { from: 0, options: options.map((one) => ({ ...one, kind: "command",
        text: `${one.command} ` })) } : null;
  }
  const at = /(?:^|[\s(])@([\p{L}]*)$/u.exec(before);
  if (!at) return null;
  const here = new Set(channelOf(channel)?.members ?? []);
  const found = Object.entries(state.names)
    .filter(([id, one]) => one.kind !== "channel" && one.name.toLowerCase().startsWith(at[1].toLowerCase())
        && (here.has(id) || id === state.bot))
    .map(([id, one]) => ({ kind: "person", id, name: one.name, text: `@${one.name} `, here: here.has(id) }))
    .sort((a, b) => (b.id === state.bot) - (a.id === state.bot) || a.name.localeCompare(b.name));
  return found.length ? { from: caret - at[1].length - 1, options: found.slice(0, 8) } : null;
}

// The hint that stands behind a command whose words are not typed yet.
export function usage(words) {
  return commands().find((one) => words.toLowerCase().trimEnd() === one.command)?.usage_hint ?? "";
}

function Option({ option }) {
  if (option.kind === "command") {
    return html`<span class="command-mark"><${OmniMark} /></span><span class="option-name">${option.command}</span>
      <span class="hint">${option.usage_hint}</span><span class="aside">${option.description}</span>`;
  }
  return html`<${Avatar} user=${option.id} small /><span class="option-name">${option.name}</span>
    ${option.id === state.bot && html`<span class="badge">APP</span>`}
    ${!option.here && html`<span class="aside">Not in this channel</span>`}`;
}

export function Completion({ id, offered, chosen, pick }) {
  return html`<ul class="completion" role="listbox" id=${id} aria-label="Suggestions">
    ${offered.options.map((option, at) => html`<li key=${option.text} id=${`${id}-${at}`} role="option"
        aria-selected=${at === chosen}
      onMouseDown=${(event) => { event.preventDefault(); pick(option); }}><${Option} option=${option} /></li>`)}
  </ul>`;
}
