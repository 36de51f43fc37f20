// Ctrl+K: go anywhere by typing a few letters.

import { html, useMemo, useState } from "../vendor/preact.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icons.js";
import { useDialog } from "./keys.js";
import { HOME, THREADS, become, open } from "./place.js";
import { set, state, useStore } from "./store.js";

function destinations() {
  const rooms = state.channels.filter((one) => one.kind !== "im").map((one) => ({
    key: one.id, name: one.name, icon: one.kind === "private" ? "lock" : "hash",
    face: one.with, go: () => open(one.id),
    about: one.mentions ? `${one.mentions} mentions` : one.unread ? "unread" : "",
  }));
  const app = state.channels.find((one) => one.kind === "im");
  const apps = app ? [
    { key: app.id, name: "Omni", face: state.bot, about: "app, Messages", go: () => open(app.id) },
    ...(state.homeTab ? [{ key: HOME, name: "Omni Home", face: state.bot, about: "app, Home", go: () => open(HOME) }]
        : []),
  ] : [];
  const people = state.people.filter((one) => one.name !== state.user).map((one) => ({
    key: one.name, name: `Be ${one.real_name}`, face: one.id, about: one.title, go: () => become(one.name),
  }));
  return [...rooms, ...apps, { key: THREADS, name: "Threads", icon: "threads", about: "", go: () => open(THREADS) },
      ...people];
}

const fits = (name, typed) => {
  let at = 0;
  for (const letter of name.toLowerCase()) if (letter === typed[at]) at += 1;
  return at === typed.length;
};

function Box() {
  const leave = () => set({ switcher: false });
  const box = useDialog(leave);
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const found = useMemo(() => destinations().filter((one) => fits(one.name, typed.trim().toLowerCase())), [typed]);
  const go = (one) => { leave(); one?.go(); };
  const onKey = (event) => {
    if (event.key === "ArrowDown") setChosen((chosen + 1) % Math.max(1, found.length));
    else if (event.key === "ArrowUp") setChosen((chosen + found.length - 1) % Math.max(1, found.length));
    else if (event.key === "Enter") go(found[chosen]);
    else return;
    event.preventDefault();
  };
  return html`<div class="shade top" onMouseDown=${(event) => { if (event.target === event.currentTarget) leave(); }}>
    <div class="switcher" role="dialog" aria-modal="true" aria-label="Go to" ref=${box} tabIndex="-1">
      <input type="text" role="combobox" aria-expanded="true" aria-controls="switcher-list" aria-label="Go to"
          placeholder="Where to?" autocomplete="off"
        aria-activedescendant=${found.length ? `switcher-${chosen}` : undefined} value=${typed}
        onInput=${(event) => { setTyped(event.target.value); setChosen(0); }} onKeyDown=${onKey} />
      <ul role="listbox" id="switcher-list" aria-label="Places">${found.map((one, at) => html`
        <li key=${one.key} id=${`switcher-${at}`} role="option" aria-selected=${at === chosen} onClick=${() => go(one)}>
          ${one.face ? html`<${Avatar} user=${one.face} small />`
              : html`<span class="prefix" aria-hidden="true"><${Icon} name=${one.icon} /></span>`}
          <span>${one.name}</span><span class="aside">${one.about}</span></li>`)}
        ${found.length === 0 && html`<li class="nothing" role="option" aria-disabled="true" aria-selected="false">Nothing of that name</li>`}</ul>
    </div></div>`;
}

export function Switcher() {
  return useStore((s) => s.switcher) ? html`<${Box} />` : null;
}
