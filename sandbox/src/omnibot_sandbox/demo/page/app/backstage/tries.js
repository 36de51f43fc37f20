// Questions that show something, one press each.

import { html, useMemo } from "../../vendor/preact.js";
import { send } from "../composer.js";
import { post } from "../live.js";
import { open } from "../place.js";
import { NOTHING, channelOf, dm, state, useStore } from "../store.js";
import { toast } from "../toasts.js";

const HERE = {
  channel: "", dm: "in your direct messages with Omni", thread: "in the open thread",
};

// Where it is asked: here if Omni is here, else in a channel that has it.
function channelFor(place) {
  if (place === "dm") return dm();
  const here = channelOf(state.place.channel);
  if (here?.members.includes(state.bot)) return here;
  return state.channels.find((one) => one.members.includes(state.bot)) ?? dm();
}

async function run({ text, place, before }) {
  for (const { verb, form } of before) {
    if (!(await post(`/backstage/${verb}`, form)).ok) return;
  }
  const { channel: here, thread } = state.place;
  if (place === "thread") {
    if (thread && channelOf(here)) send(here, thread, text);
    else toast("Ask something first, and open the thread of its answer: this is what comes next there.");
    return;
  }
  const channel = channelFor(place);
  if (!channel) { toast("There is no channel with Omni for this person.", "error"); return; }
  open(channel.id);
  send(channel.id, null, channel.kind === "im" ? text.replace(/^@Omni /, "") : text);
}

export function Tries() {
  const scenarios = useStore((s) => s.backstage?.scenarios) ?? NOTHING;
  const user = useStore((s) => s.people.find((one) => one.name === s.user)?.real_name);
  const groups = useMemo(() => {
    const found = new Map();
    for (const one of scenarios) found.set(one.group, [...(found.get(one.group) ?? NOTHING), one]);
    return [...found];
  }, [scenarios]);
  return html`<div class="tries"><p class="aside">A press asks it as ${user}, in the channel you look at.</p>
    ${groups.map(([group, members]) => html`<h3 key=${group}>${group}</h3>
      <ul aria-label=${group}>${members.map((one) => html`<li key=${one.name}><div><strong>${one.about}</strong>
        <code>${one.text}</code>${one.then && html`<span class="then">${one.then}</span>`}${HERE[one.place] && html` <span class="aside">${HERE[one.place]}</span>`}</div>
      <button type="button" class="plain" data-scenario=${one.name} aria-label=${`Try: ${one.text}`}
          onClick=${() => run(one)}>Try this</button></li>`)}</ul>`)}</div>`;
}
