// The first minute: what to type and what to press, ticked off as it is done.

import { html } from "../vendor/preact.js";
import { toggleDrawer } from "./backstage/drawer.js";
import { suggest } from "./drafts.js";
import { Icon } from "./icons.js";
import { become, open } from "./place.js";
import { set, state, subscribe, useStore } from "./store.js";

const QUESTION = "@Omni what is the price of AAPL?";
// Into #trading, or for who is not in it where Omni can be asked.
function type(words) {
  const channel = state.channels.find((one) => one.name === "trading")
      ?? state.channels.find((one) => one.members.includes(state.bot));
  if (!channel) return;
  open(channel.id);
  suggest(channel.id, words);
}

const STEPS = [
  { id: "ask", words: html`Ask in #trading: <kbd>${QUESTION}</kbd>`, help: "Type it for me", go: () => type(QUESTION) },
  { id: "press", words: "Read the answer in the thread, then press a button below it" },
  { id: "help", words: html`Type <kbd>/omni help</kbd>: only you see what comes`, help: "Type it for me",
      go: () => type("/omni help") },
  { id: "switch", words: "Be somebody else: Ben, Cleo the guest, or Dan of the other company (top)", help: "Be Ben",
      go: () => become("ben") },
  { id: "backstage", words: "Go backstage: watch the calls, break something, kill the bot", help: "Open it",
      go: () => { if (!state.drawer) toggleDrawer(); } },
];

const KEY = "guide";
const kept = () => { try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; } };

// Steps that show in what this page knows.
function seen() {
  const done = [];
  const mine = Object.values(state.rooms).some((room) =>
      room.roots.some((one) => one.user === state.me && one.text.includes(`<@${state.bot}>`)));
  if (mine) done.push("ask");
  if (state.user !== "ana") done.push("switch");
  if (state.drawer) done.push("backstage");
  return done;
}

function keep(guide) {
  localStorage.setItem(KEY, JSON.stringify(guide));
  set({ guide });
}

function tick(...ids) {
  const done = state.guide.done ?? [];
  const fresh = ids.filter((id) => !done.includes(id));
  if (fresh.length) keep({ ...state.guide, done: [...done, ...fresh] });
}

set({ guide: kept() });
subscribe(() => { if (state.ready) tick(...seen()); });
addEventListener("demo-pressed", () => tick("press"));
addEventListener("demo-command", ({ detail }) => { if (detail.trim().toLowerCase() === "help") tick("help"); });

// A card in the sidebar, or where that is folded away a strip with the next step.
export function Guide({ strip }) {
  const { done = [], hidden = false } = useStore((s) => s.guide);
  const ready = useStore((s) => s.ready);
  if (hidden || !ready) return null;
  const next = STEPS.find((step) => !done.includes(step.id));
  const leave = () => keep({ done, hidden: true });
  if (strip) {
    return html`<aside class="guide-strip" aria-label="The first minute"><span
        class="progress">${done.length} of ${STEPS.length}</span>
      <span class="words">${next ? next.words : "That was the tour."}</span>
      ${next?.help && html`<button type="button" class="plain" onClick=${next.go}>${next.help}</button>`}
      <button type="button" class="quiet" aria-label="Dismiss the guide" onClick=${leave}><${Icon} name="close" />
          </button></aside>`;
  }
  return html`<div class="guide-room"></div><aside class="guide" aria-label="The first minute">
    <header><h2>${next ? "Your first minute" : "That was the tour"}</h2><span
        class="progress">${done.length} of ${STEPS.length}</span>
      <button type="button" class="quiet" aria-label="Dismiss the guide" onClick=${leave}><${Icon} name="close" />
          </button></header>
    <ol>${STEPS.map((step) => html`<li key=${step.id} data-step=${step.id}
        class=${done.includes(step.id) ? "done" : step === next ? "next" : ""}>
      <span class="tick" role="img" aria-label=${done.includes(step.id) ? "done" : "to do"}>${done.includes(step.id)
          && html`<${Icon} name="check" />`}</span>
      <span class="words">${step.words}</span>
      ${step.help && step === next && html`<button type="button" class="plain" onClick=${step.go}>${step.help}
          </button>`}</li>`)}</ol>
    ${!next && html`<p>There is more in Backstage under “Try”. <button type="button" class="link"
        onClick=${leave}>Close this</button></p>`}
  </aside>`;
}
