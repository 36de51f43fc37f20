// Questions that show something, one press each.

import { html } from "../../vendor/preact.js";
import { send } from "../composer.js";
import { open } from "../place.js";
import { NOTHING, channelOf, dm, state, useStore } from "../store.js";
import { toast } from "../toasts.js";

// Where it is asked: here if Omni is here, else in a channel that has it.
function place() {
  const here = channelOf(state.place.channel);
  if (here?.members.includes(state.bot)) return here;
  return state.channels.find((one) => one.members.includes(state.bot)) ?? dm();
}

function run({ text }) {
  const channel = place();
  if (!channel) { toast("There is no channel with Omni for this person.", "error"); return; }
  open(channel.id);
  send(channel.id, null, channel.kind === "im" ? text.replace(/^@Omni /, "") : text);
}

export function Tries() {
  const scenarios = useStore((s) => s.backstage?.scenarios) ?? NOTHING;
  const user = useStore((s) => s.people.find((one) => one.name === s.user)?.real_name);
  return html`<div class="tries"><p class="aside">A press asks it as ${user}, in the channel you look at.</p>
    <ul>${scenarios.map((one) => html`<li key=${one.name}><div><strong>${one.about}</strong><code>${one.text}</code>
        </div>
      <button type="button" class="plain" data-scenario=${one.name} aria-label=${`Try: ${one.text}`}
          onClick=${() => run(one)}>Try this</button></li>`)}</ul></div>`;
}
