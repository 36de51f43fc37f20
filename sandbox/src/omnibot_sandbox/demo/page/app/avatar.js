// A face: the app's mark, or a person's initial on their colour.

import { html } from "../vendor/preact.js";
import { OmniMark } from "./icons.js";
import { nameOf, state } from "./store.js";

export function Avatar({ user, small }) {
  const size = small ? "small" : "";
  if (user === state.bot) return html`<span class=${`face omni ${size}`} aria-hidden="true"><${OmniMark} /></span>`;
  const name = nameOf(user);
  return html`<span class=${`face ${size}`} data-who=${name.toLowerCase()} aria-hidden="true">${name[0]}</span>`;
}

export function Badges({ user }) {
  if (state.names[user]?.kind === "bot") return html`<span class="badge">APP</span>`;
  const one = state.people.find((other) => other.id === user);
  const mine = state.people.find((other) => other.id === state.me);
  if (one?.guest) return html`<span class="badge soft">Guest</span>`;
  const away = one && one.company !== mine?.company;
  return away ? html`<span class="badge soft">${one.company || state.host}</span>` : null;
}
