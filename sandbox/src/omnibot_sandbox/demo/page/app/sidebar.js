// The list of places: channels, the app, threads.

import { html } from "../vendor/preact.js";
import { Avatar } from "./avatar.js";
import { Guide } from "./guide.js";
import { Icon } from "./icons.js";
import { roving } from "./keys.js";
import { HOME, THREADS, open } from "./place.js";
import { state, useStore } from "./store.js";

const unreadThreads = (channels) => channels.reduce((sum, one) =>
    sum + Object.values(one.threads ?? {}).reduce((a, b) => a + b, 0), 0);

const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function Place({ id, current, bold, badge, words, stop, children }) {
  return html`<li><button type="button" class=${bold ? "bold" : ""} data-stop data-channel=${id}
      tabIndex=${stop ? 0 : -1}
      aria-current=${current ? "page" : undefined} onClick=${() => open(id)}>
    ${children}${badge ? html`<span class="count" aria-hidden="true">${badge}</span><span class="visually-hidden">, ${words}</span>`
        : null}
    ${!badge && bold ? html`<span class="visually-hidden">, unread</span>` : null}</button></li>`;
}

function ChannelPlace({ channel, current }) {
  const icon = channel.kind === "private" ? "lock" : "hash";
  return html`<${Place} id=${channel.id} current=${current} stop=${current}
      bold=${channel.unread > 0 || channel.mentions > 0}
      badge=${channel.mentions} words=${counted(channel.mentions, "mention")}>
    <span class="prefix" aria-hidden="true"><${Icon} name=${icon} /></span><span class="name">${channel.name}</span>
    ${channel.kind === "private" && html`<span class="visually-hidden">, private</span>`}
    ${channel.is_ext_shared && html`<span class="shared-mark" role="img" aria-label=${`shared with ${channel.company}`}>
        <${Icon} name="shared" /></span>`}
  <//>`;
}

function Presence() {
  const on = useStore((s) => s.backstage?.bot?.state === "running");
  return html`<span class=${`presence ${on ? "on" : ""}`} role="img" aria-label=${on ? "active" : "away"}></span>`;
}

function PersonPlace({ channel, current }) {
  return html`<${Place} id=${channel.id} current=${current} stop=${current} bold=${channel.mentions > 0}
      badge=${channel.mentions} words=${counted(channel.mentions, "unread message")}>
    <${Avatar} user=${channel.with} small /><span class="name">${channel.name}</span><//>`;
}

const NO_GUESTS = "Guests cannot use agent apps.";
const NO_STRANGERS = "The Omni app belongs to the other company's workspace.";

function AppPlace({ app, current }) {
  return html`<${Place} id=${app.id} current=${current} stop=${current} bold=${app.mentions > 0} badge=${app.mentions}
      words=${counted(app.mentions, "unread message")}>
    <${Avatar} user=${state.bot} small /><span class="name">Omni</span><${Presence} /><//>`;
}

export function Sidebar() {
  const channels = useStore((s) => s.channels);
  const place = useStore((s) => s.place.channel);
  const workspace = useStore((s) => s.workspace);
  const rooms = channels.filter((one) => !["dm", "im"].includes(one.kind)), talks = channels.filter((one) => one.kind === "dm");
  const app = channels.find((one) => one.kind === "im");
  const threads = unreadThreads(channels);
  const mine = useStore((s) => s.people.find((one) => one.name === s.user));
  return html`<nav class="sidebar" id="sidebar" aria-label="Channels" data-region="sidebar" onKeyDown=${roving}>
    <p class="workspace-name">${workspace}</p>
    <ul class="places"><${Place} id=${THREADS} current=${place === THREADS} stop=${place === THREADS}
        bold=${threads > 0} badge=${threads} words=${threads === 1 ? "1 unread reply" : `${threads} unread replies`}>
      <span class="prefix" aria-hidden="true"><${Icon} name="threads" /></span>
      <span class="name">Threads</span><//></ul>
    <h2>Channels</h2>
    <ul class="places">${rooms.map((channel) =>
        html`<${ChannelPlace} key=${channel.id} channel=${channel} current=${place === channel.id} />`)}</ul>
    ${talks.length > 0 && html`<h2>Direct messages</h2><ul class="places">${talks.map((channel) =>
        html`<${PersonPlace} key=${channel.id} channel=${channel} current=${place === channel.id} />`)}</ul>`}
    ${app ? html`<h2>Apps</h2><ul class="places"><${AppPlace} app=${app} current=${[app.id, HOME].includes(place)} />
        </ul>`
      : html`<p class="aside">${mine?.guest ? NO_GUESTS : NO_STRANGERS}</p>`}
    <${Guide} />
  </nav>`;
}
