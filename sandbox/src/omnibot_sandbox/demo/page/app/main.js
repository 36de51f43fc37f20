// The workspace, put together.

import { html, render, useEffect } from "../vendor/preact.js";
import { Announcer } from "./announcer.js";
import { Asking } from "./asking.js";
import { Backstage, restoreDrawer } from "./backstage/drawer.js";
import { AppHome, Channel } from "./channel.js";
import { Guide } from "./guide.js";
import { walkRegions } from "./keys.js";
import { Modals } from "./modals.js";
import { HOME, THREADS, begin, closeThread, openThread, settle } from "./place.js";
import { Sidebar } from "./sidebar.js";
import { channelOf, isBot, room, set, state, subscribe, titleOf, useStore } from "./store.js";
import { Switcher } from "./switcher.js";
import { Thread } from "./thread.js";
import { Threads } from "./threads.js";
import { Toasts } from "./toasts.js";
import { Banner, TopBar } from "./topbar.js";

function Pane() {
  const place = useStore((s) => s.place.channel);
  const channel = useStore((s) => s.channels.find((one) => one.id === place));
  if (place === THREADS) return html`<${Threads} />`;
  if (place === HOME) return html`<${AppHome} />`;
  return channel ? html`<${Channel} channel=${channel} />` : html`<main class="channel" id="main"></main>`;
}

function Side() {
  const { channel, thread } = useStore((s) => s.place);
  return thread && channelOf(channel) ? html`<${Thread} channel=${channel} ts=${thread} />` : null;
}

// The thread of what one just asked opens by itself when the answer begins, unless another is open.
let asked = null;
function follow() {
  const { channel, thread } = state.place, roots = room(channel).roots;
  const mine = roots.findLast((one) => one.user === state.me && !one.only_you);
  const place = `${state.user} ${channel}`;
  if (asked?.place !== place) asked = { place, newest: mine?.ts ?? "0", waiting: [] };
  if (!state.ready) { asked = null; return; }
  for (const one of roots.slice(-20)) {
    if (Number(one.ts) > Number(asked.newest) && one.ts <= (roots.at(-1)?.ts ?? "")) asked.waiting.push(one.ts);
  }
  asked.newest = roots.at(-1)?.ts ?? asked.newest;
  if (thread) return;
  const answered = asked.waiting.find((ts) => {
    const root = roots.find((one) => one.ts === ts);
    const theirs = root && (root.user === state.me
        || (isBot(root.user) && JSON.stringify([root.text, root.blocks]).includes(state.me)));
    return theirs && (room(channel).replies.get(ts) ?? []).some((reply) => isBot(reply.user));
  });
  if (!answered) return;
  asked.waiting = [];
  set({ followed: answered });
  openThread(channel, answered);
}

const typing = (target) => target instanceof HTMLElement && target.closest("input, textarea, select, [role=dialog]");

function onKey(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    set({ switcher: !state.switcher });
  } else if (event.key === "F6") walkRegions(event);
  else if (event.key === "Escape" && !event.defaultPrevented && !event.target.closest?.("[role=dialog]")) {
    if (state.menu) {
      set({ menu: false });
      document.querySelector("[aria-controls=sidebar]").focus();
    }
    else if (state.place.thread) closeThread();
  }
}

// The title of the tab tells of what waits.
function entitle() {
  const count = state.channels.reduce((sum, one) => sum + one.mentions, 0);
  const here = channelOf(state.place.channel);
  const name = here ? titleOf(here) : "Omni";
  document.title = `${count ? `(${count}) ` : ""}${name} · ${state.workspace || "Omni in Slack: the demo"}`;
}

function App() {
  const ready = useStore((s) => s.ready);
  const drawer = useStore((s) => s.drawer);
  const menu = useStore((s) => Boolean(s.menu));
  const thread = useStore((s) => Boolean(s.place.thread && channelOf(s.place.channel)));
  const place = useStore((s) => s.place);
  useEffect(() => { if (menu) set({ menu: false }); }, [place]);
  return html`<div class=${`workspace ${drawer ? "with-drawer" : ""} ${thread ? "with-thread" : ""} ${menu ? "with-menu"
      : ""}`} aria-busy=${!ready}>
    <nav class="skips" aria-label="Skip links">
      <a href="#composer" onClick=${skip("#composer")}>Skip to the message box</a>
      <a href="#main" onClick=${skip("#main [data-stop][tabindex='0']")}>Skip to the messages</a>
      <a href="#sidebar" onClick=${skip("#sidebar [data-stop]")}>Skip to the channels</a></nav>
    <${TopBar} />
    <${Banner} />
    <${Guide} strip />
    <div class="panes"><${Sidebar} />
      ${menu && html`<div class="menu-shade" onClick=${() => set({ menu: false })}></div>`}
      ${ready ? html`<${Pane} /><${Side} />` : html`<main class="channel" id="main"><p class="loading">Loading…</p>
          </main>`}
      ${drawer && html`<${Backstage} />`}</div>
    <${Modals} /><${Switcher} /><${Asking} /><${Toasts} /><${Announcer} />
  </div>`;
}

// Hash links would be read as places.
const skip = (target) => (event) => {
  event.preventDefault();
  document.querySelector(target)?.focus();
};

addEventListener("keydown", onKey);
// Typing anywhere goes into the message box, as in Slack.
addEventListener("keydown", (event) => {
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)
      || event.key === " ") return;
  const box = document.querySelector(state.place.thread ? "#thread-composer" : "#composer");
  if (box && !state.modals.length && !state.switcher) box.focus();
});
subscribe(settle);
subscribe(follow);
subscribe(entitle);
restoreDrawer();
begin();
render(html`<${App} />`, document.getElementById("app"));
