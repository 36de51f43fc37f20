// The drawer: what stands behind the workspace.

import { html, useState } from "../../vendor/preact.js";
import { Icon } from "../icons.js";
import { roving } from "../keys.js";
import { get } from "../live.js";
import { set, state } from "../store.js";
import { Bot } from "./bot.js";
import { Calls } from "./calls.js";
import { Exchange } from "./exchange.js";
import { Faults } from "./faults.js";
import { Tries } from "./tries.js";

const TABS = {
  calls: ["Calls", Calls], try: ["Try", Tries], faults: ["Faults", Faults], exchange: ["Exchange", Exchange],
  bot: ["Bot & API", Bot],
};

export async function refresh() {
  const everything = await get("/backstage");
  if (!everything) return;
  const { calls, ...rest } = everything;
  set({ calls, backstage: rest });
}

export function toggleDrawer() {
  const drawer = !state.drawer;
  const inside = document.querySelector("#backstage")?.contains(document.activeElement);
  if (inside) document.querySelector(".backstage-button").focus();
  localStorage.setItem("drawer", drawer ? "open" : "");
  set({ drawer });
  if (drawer) refresh();
}

export function restoreDrawer() {
  if (localStorage.getItem("drawer") !== "open") return;
  set({ drawer: true });
  refresh();
}

export function Backstage() {
  const [tab, setTab] = useState(() => localStorage.getItem("drawer tab") ?? "calls");
  const [, Content] = TABS[tab] ?? TABS.calls;
  const show = (name) => { localStorage.setItem("drawer tab", name); setTab(name); };
  return html`<aside class="backstage" id="backstage" aria-label="Backstage" data-region="backstage">
    <header class="pane-head"><div><h2>Backstage</h2></div>
      <button type="button" class="quiet" aria-label="Close Backstage" onClick=${toggleDrawer}><${Icon} name="close" />
          </button></header>
    <div class="tabs" role="tablist" aria-label="Backstage" onKeyDown=${(event) => roving(event, { horizontal: true })}>
      ${Object.entries(TABS).map(([name, [label]]) =>
          html`<button key=${name} type="button" role="tab" id=${`tab-${name}`} data-stop
              tabIndex=${name === tab ? 0 : -1}
        aria-selected=${name === tab} aria-controls="backstage-panel" onClick=${() => show(name)}>${label}</button>`)}
            </div>
    <div class="panel" id="backstage-panel" role="tabpanel" aria-labelledby=${`tab-${tab}`}><${Content} /></div>
  </aside>`;
}
