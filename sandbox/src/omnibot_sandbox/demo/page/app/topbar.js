// The bar on top: search, who one is, light or dark, backstage.

import { html, useEffect, useState } from "../vendor/preact.js";
import { toggleDrawer } from "./backstage/drawer.js";
import { Icon } from "./icons.js";
import { roving } from "./keys.js";
import { become } from "./place.js";
import { set, useStore } from "./store.js";

const THEMES = { auto: ["auto", "As the system"], light: ["sun", "Light"], dark: ["moon", "Dark"] };

export function useTheme() {
  const [theme, setTheme] = useState(() => localStorage.getItem("theme") ?? "auto");
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  return [theme, setTheme];
}

function ThemeButton() {
  const [theme, setTheme] = useTheme();
  const names = Object.keys(THEMES), [icon, label] = THEMES[theme];
  const next = names[(names.indexOf(theme) + 1) % names.length];
  return html`<button type="button" class="bar-button" id="theme"
      title=${`Colours: ${label}. Press for: ${THEMES[next][1]}`}
    aria-label=${`Colours: ${label}. Press for: ${THEMES[next][1]}`} onClick=${() => setTheme(next)}>
        <${Icon} name=${icon} /></button>`;
}

const badgeOf = (one) => (one.guest ? "guest" : one.company ? "other company" : one.title.toLowerCase());

// As in every group of radio buttons, an arrow chooses what it goes to.
function choose(event) {
  roving(event, { horizontal: true });
  if (event.defaultPrevented) document.activeElement.click();
}

function People() {
  const people = useStore((s) => s.people);
  const user = useStore((s) => s.user);
  return html`<div class="who-am-i" role="radiogroup" aria-label="You are"
      onKeyDown=${choose}>
    <span class="you-are" aria-hidden="true">You are</span>
    ${people.map((one) => html`<button key=${one.name} type="button" role="radio" aria-checked=${one.name === user}
        data-stop tabIndex=${one.name === user ? 0 : -1}
      data-person=${one.name} title=${`${one.real_name}, ${badgeOf(one)}`} onClick=${() => become(one.name)}>
      <span class="face small" data-who=${one.name} aria-hidden="true">${one.real_name[0]}</span>
      <span class="person-name">${one.real_name}</span><span class="person-title">${badgeOf(one)}</span></button>`)}
  </div>`;
}

export function TopBar() {
  const drawer = useStore((s) => s.drawer);
  const menu = useStore((s) => Boolean(s.menu));
  const faults = useStore((s) => (s.backstage?.rules ?? []).filter((rule) => rule.enabled).length
      + Object.values(s.backstage?.lines ?? {}).filter((line) => line.mode !== "pass").length);
  return html`<header class="topbar" data-region="topbar">
    <button type="button" class="bar-button narrow-only" aria-label="Show the channels" aria-controls="sidebar"
        aria-expanded=${menu} onClick=${() => set({ menu: true })}><${Icon} name="menu" /></button>
    <button type="button" class="go-to" onClick=${() => set({ switcher: true })} aria-haspopup="dialog" aria-keyshortcuts="Control+K">
        <${Icon} name="search" /><span>Go to a channel</span><kbd>Ctrl K</kbd></button>
    <${People} />
    <${ThemeButton} />
    <button type="button" class=${`bar-button backstage-button ${drawer ? "on" : ""}`} aria-expanded=${drawer}
        aria-controls=${drawer ? "backstage" : undefined}
        aria-label=${faults ? `Backstage, ${faults} ${faults === 1 ? "fault" : "faults"} in force` : "Backstage"} onClick=${toggleDrawer}>
      <${Icon} name="wrench" /><span>Backstage</span>${faults > 0
          && html`<span class="count">${faults}</span>`}</button>
  </header>`;
}

const BOT_WORDS = { restarting: "The bot is down. The demo is starting it again…",
    down: "The bot is down and stays down." };

// Says when something the page lives on is not there.
export function Banner() {
  const live = useStore((s) => s.live);
  const bot = useStore((s) => s.backstage?.bot);
  if (live === "lost") return html`<p class="banner bad"
      role="alert">Disconnected: the demo does not answer. Trying again…</p>`;
  if (bot && BOT_WORDS[bot.state]) return html`<p class="banner warn" role="alert" data-bot=${bot.state}>
      <${Icon} name="warning" /> ${BOT_WORDS[bot.state]}</p>`;
  if (bot?.state === "absent") return html`<p class="banner"
      role="status">No bot is connected. Point one here with the variables that omnibot emulator printed.</p>`;
  return null;
}
